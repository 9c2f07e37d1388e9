#!/usr/bin/env bash
# What ckpt-diff and the maps show, against two flat files compared by Python, and pictures decoded by it.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

# compare BEFORE AFTER: the lists of pages and bytes, and the sums, are those of the restored memory.
compare() {
  for name in "$1" "$2"; do ckpt-restore -q "$name" --to raw -o "$name.flat" --force 2>/dev/null; done
  python3 - "$1" "$2" <<'P'
import json, re, subprocess, sys

before, after = sys.argv[1:]
a, b = (open(name + ".flat", "rb").read() for name in sys.argv[1:])
size = max(len(a), len(b))
a, b = a.ljust(size, b"\0"), b.ljust(size, b"\0")
truth = {}
for at in range(0, size, 4096):
    x, y = a[at:at + 4096], b[at:at + 4096]
    if x != y:
        truth[at // 4096] = {at + n: (x[n], y[n]) for n in range(4096) if x[n] != y[n]}


def diff(*options):
    done = subprocess.run(["ckpt-diff", *options, before, after], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, done.stdout


status, text = diff("--json", "--histogram")
total = json.loads(text)
assert status == (total["differingPages"] > 0) and total["sameMemory"] == (status == 0)
assert total["differingPages"] == sum(change["pages"] for change in total["changes"])

# Pages whose contents are known for both moments: exactly those of the flat files, byte for byte.
pages = json.loads(diff("--json", "--pages")[1])
assert {page["pfn"]: page["changedBytes"] for page in pages if "changedBytes" in page} \
    == {pfn: len(changed) for pfn, changed in truth.items()}
assert len(pages) == total["differingPages"]
assert total["contents"]["pages"] == len(truth)
assert total["contents"]["bytes"] == sum(map(len, truth.values()))
for part in total["contents"]["histogram"]:
    assert part["pages"] == sum(part["from"] <= len(changed) <= part["to"] for changed in truth.values()), part

for page in json.loads(diff("--json", "--bytes")[1]):
    found = {}
    for part in page["bytes"]:
        old, new = bytes.fromhex(part["before"]), bytes.fromhex(part["after"])
        found.update({part["address"] + n: pair for n, pair in enumerate(zip(old, new))})
    assert found == truth.get(page["pfn"], {}), page["pfn"]

# The same as text.
found, listed = {}, 0
line = re.compile(r"([0-9a-f]{10,})  ((?:[0-9a-f]{2} ){8})\|.{8}\|  ((?:[0-9a-f]{2} ){8})\|.{8}\|")
for text in diff("--bytes")[1].splitlines():
    if text.startswith("page 0x"):
        listed += 1
        continue
    address, old, new = line.fullmatch(text).groups()
    rows = [(int(address, 16) + n, pair) for n, pair in enumerate(zip(bytes.fromhex(old), bytes.fromhex(new)))]
    assert any(x != y for _, (x, y) in rows), text
    assert all(a[at] == x and b[at] == y for at, (x, y) in rows), text
    found.update({at: pair for at, pair in rows if pair[0] != pair[1]})
assert found == {at: pair for changed in truth.values() for at, pair in changed.items()}
assert listed == total["differingPages"]

runs = json.loads(diff("--json", "--runs")[1])
assert len(runs) == total["runs"]
assert [pfn for run in runs for pfn in range(run["pfn"], run["pfn"] + run["count"])] == [page["pfn"] for page in pages]
assert len(diff("--runs")[1].splitlines()) == total["runs"]
assert [int(text.split()[0], 16) for text in diff("--pages")[1].splitlines()] == [page["pfn"] for page in pages]

# A part of the memory.
last = max(truth, default=0) // 2
status, text = diff("--json", "--pages", "--range", f"3-{last + 3:#x}")
assert json.loads(text) == [page for page in pages if 3 <= page["pfn"] <= last + 3]
assert status == (json.loads(text) != [])
P
}

# Random chains.
seed=${SEED:-$RANDOM}
echo "SEED=$seed"
for number in 0 1 2 3; do
  memory $number.raw 1500 $((seed + number))
  parent=()
  ((number == 0)) || parent=(--parent $((number - 1)).ckpt)
  ckpt-capture -q --format raw $number.raw -o $number.ckpt "${parent[@]}"
done
compare 0.ckpt 3.ckpt
compare 2.ckpt 1.ckpt
compare 3.ckpt 3.ckpt

# A real guest, and pictures of it at a page a cell.
zstd -dc --long=30 "$root/Fixtures/xen-64.tar.zst" | tar -x pv-64/save-{1,2,3} pvh-64/save-1
ckpt-capture -q pv-64/save-1 -o pv-1.ckpt
ckpt-capture -q pv-64/save-2 -o pv-2.ckpt --parent pv-1.ckpt
ckpt-capture -q pv-64/save-3 -o pv-3.ckpt --parent pv-2.ckpt
ckpt-capture -q pvh-64/save-1 -o pvh-1.ckpt
compare pv-1.ckpt pv-3.ckpt

# pixels FILE COLOUR: what of a picture has a colour, without the 144 pixels in the legend.
pixels() {
  "$root/Tests/Oracle/read-picture.py" "$1" |
    python3 -c "import json, sys; print(json.load(sys.stdin)['colours'].get('$2', 144) - 144)"
}
same() { [[ $1 == "$2" ]] || fail "$3: found $1, expected $2"; }

ckpt-inspect map pv-3.ckpt --png map.png --svg map.svg
expect 1 '' ckpt-diff pv-1.ckpt pv-3.ckpt --png diff.png --svg diff.svg
runs() { ckpt-inspect map --json "$@" | python3 -c "
import collections, json, sys
pages = collections.Counter()
for run in json.load(sys.stdin):
    pages[run['state']] += run['count']
print(pages['data'], pages['zero'], sum(pages.values()))"; }
read -r data zero all <<<"$(runs pv-3.ckpt)"
same $((data + zero)) "$all" "pages of the map"
same "$data" "$(python3 -c "
memory = open('pv-3.ckpt.flat', 'rb').read()
print(sum(any(memory[at:at + 4096]) for at in range(0, len(memory), 4096)))")" "data pages"
changed=$( (ckpt-diff -q --pages pv-1.ckpt pv-3.ckpt || true) | wc -l)
for kind in png svg; do
  same "$(pixels map.$kind '#0072b2')" $((data * 64)) "pixels of data in map.$kind"
  same "$(pixels map.$kind '#b4bac0')" $((zero * 64)) "pixels of zeros in map.$kind"
  same "$(pixels diff.$kind '#0072b2')" $((changed * 64)) "pixels of changes in diff.$kind"
done
[[ $(file -b map.png 2>/dev/null || echo PNG) == PNG* ]] || fail "not a PNG: $(file map.png)"

# Into a pipe; not over an existing file; not twice into one place.
ckpt-inspect map pv-3.ckpt --png - | cmp - map.png
expect 2 'exists already' ckpt-inspect map pv-3.ckpt --png map.png
ckpt-inspect map pv-3.ckpt --png map.png --force
expect 64 'only once' ckpt-diff pv-1.ckpt pv-3.ckpt --svg - --runs
expect 64 'only once' ckpt-inspect map pv-3.ckpt --svg - --png -
(ckpt-diff pv-1.ckpt pv-3.ckpt --svg - 2>message || true) | cmp - diff.svg
grep -q "^memory  *$changed pages differ" message || fail "no summary beside a picture: $(cat message)"
nothing_left none.png

# Characters: letters in a pipe, colours on a terminal, no colours where they are not wanted.
ckpt-inspect map pv-3.ckpt >letters
grep -qE '^0x0000000 [-.dD]{64}$' letters || fail "letters: $(head -3 letters)"
grep -qF "$data data" letters || fail "legend: $(tail -3 letters)"
terminal() { TERM=xterm script -qec "stty cols 100; $*" /dev/null </dev/null; }
terminal ckpt-inspect map pv-3.ckpt >colours
grep -q $'\e\[38;5;.*▀' colours || fail "no colours on a terminal: $(head -3 colours)"
COLORTERM=truecolor terminal ckpt-inspect map pv-3.ckpt >colours
grep -q $'\e\[38;2;0;114;178m.*▀' colours || fail "not all colours on a terminal: $(head -3 colours)"
NO_COLOR=1 terminal ckpt-inspect map pv-3.ckpt | tr -d '\r' | cmp - letters

# Silence, and what was read.
status=0
said=$(ckpt-diff -q pv-1.ckpt pv-3.ckpt 2>&1) || status=$?
[[ $status == 1 && -z $said ]] || fail "-q: status $status, '$said'"
read=$( (ckpt-diff --json pv-1.ckpt pv-3.ckpt || true) | python3 -c "import json, sys; print(json.load(sys.stdin)['bytesRead'])")
((read < 400000)) || fail "$read bytes were read"

# Two guests.
expect 1 'warning: these look like two different guests: ' ckpt-diff pv-1.ckpt pvh-1.ckpt
expect 1 'pages differ' ckpt-diff 0.ckpt 1.ckpt
! grep -q warning message || fail "one guest: $(cat message)"

# Every state, holes, far pages: against the states that an independent writer put into the images.
python3 - "$root/Spec" "$seed" <<'P'
import collections, json, random, subprocess, sys
sys.path.insert(0, sys.argv[1])
from write_image import Image

rng = random.Random(int(sys.argv[2]))
names = ["unpopulated", "data", "zero", "unchanged", "evicted", "allocateOnly", "broken", "unreadable"]


def fill(image, starts, states):
    pages, extents = {}, []
    for start, end in starts:
        pfn = start
        while pfn < end:
            count, state = min(rng.randrange(1, 90), end - pfn), rng.choice(states)
            for page in range(pfn, pfn + count) if state == 1 else ():
                pages[page] = (0, bytes([rng.randrange(1, 256)]) * 4096)
            if state != 1:
                extents.append((pfn, count, state, 0, rng.randrange(1, 7) if state == 4 else 0))
            pfn += count
    listed = sorted(pages.items())
    for first in range(0, len(listed), 256):
        image.region(1, dict(listed[first:first + 256]))
    image.states(*extents)


far = (1 << 52) - 300
base = Image()
fill(base, [(7, 3000), (1 << 20, (1 << 20) + 900), (1 << 40, (1 << 40) + 400), (far, far + 300)], [1, 2, 4, 5, 6, 7])
base.finish("states.ckpt")
tip = Image(base, "states.ckpt")
fill(tip, [(100, 700), (5000, 5100), ((1 << 40) + 300, (1 << 40) + 700)], [0, 1, 2, 4, 5, 6, 7])
tip.finish("next.ckpt")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def states(*options):
    return {pfn: (run["state"], run.get("reason")) for run in run("ckpt-inspect", "map", "--json", *options)
            for pfn in range(run["pfn"], run["pfn"] + run["count"])}


reasons = [None, "free", "balloon", "cleanPageCache", "privateCache", "user", "listed"]
shown = lambda page: (names[page[0]], reasons[page[2]])
assert states("next.ckpt") == {pfn: shown(page) for pfn, page in tip.moment.items() if page[0]}
assert states("--own", "next.ckpt") == {pfn: shown(page) for pfn, page in tip.entries.items()}
known, truth = (1, 2), collections.Counter()
none = (0, 0, 0, None)
for pfn in base.moment.keys() | tip.moment.keys():
    x, y = base.moment.get(pfn, none), tip.moment.get(pfn, none)
    if x != y:
        truth["came" if not x[0] else "went" if not y[0] else "contents" if x[0] in known and y[0] in known
              else "status"] += 1
found = collections.Counter()
for change in run("ckpt-diff", "--json", "states.ckpt", "next.ckpt")["changes"]:
    found[change["how"]["change"]] += change["pages"]
assert found == truth, (found, truth)
print("states:", dict(truth))

# Hostile: segments that name 2^52 pages, of which the index says nothing.
for name, parent in (("wide.ckpt", None), ("wide-next.ckpt", base)):
    image = Image(parent, "states.ckpt" if parent else "")
    image.region(0, {5: (0, b"x" * 4096)})
    import struct
    image.segment(4, struct.pack("<QQBBB5x", 0, 1 << 52, 2, 0, 0))
    image.finish(name)
P
for command in "ckpt-inspect map next.ckpt" "ckpt-inspect map --own next.ckpt"; do
  $command --png states.png --svg states.svg --force
  "$root/Tests/Oracle/read-picture.py" states.png >/dev/null
  "$root/Tests/Oracle/read-picture.py" states.svg >/dev/null
  $command >letters
  (($(wc -l <letters) < 150)) || fail "$command: $(wc -l <letters) lines"
done
(
  ulimit -v 1000000
  for image in wide.ckpt wide-next.ckpt; do
    expect 0 '[0-9] data' timeout 10 ckpt-inspect map $image
    timeout 10 ckpt-inspect map $image --own --png wide.png --force || fail "$image: $?"
    expect 1 'pages? differ' timeout 10 ckpt-diff states.ckpt $image --histogram
  done
)
echo "diff: random chains, a real guest, every state"
