#!/usr/bin/env bash
# Cut and damaged images of real guests: what is rescued is the guest's memory as it was, what is lost is
# unreadable, and the tools say so.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

zstd -dc --long=30 "$root/Fixtures/xen-64.tar.zst" | tar x pv-64/save-1 pv-64/save-2
save=pv-64
ckpt-capture -q $save/save-1 -o base.ckpt
ckpt-capture -q $save/save-2 --parent base.ckpt -o tip.ckpt
ckpt-restore -q base.ckpt --to raw -o base.raw
ckpt-restore -q tip.ckpt --to raw -o tip.raw
ckpt-capture -q --format raw base.raw -o memory.ckpt

# place KIND FILE: where the first segment of a kind begins.
place() {
  python3 - "$@" <<'P'
import struct, sys
kinds = ["", "header", "record", "region", "states", "layout", "provenance", "index", "root", "trailer"]
data, at = open(sys.argv[2], "rb").read(), 0
while True:
    _, kind, _, _, length = struct.unpack_from("<IHHQQ", data, at)
    if kinds[kind] == sys.argv[1]:
        sys.exit(print(at))
    at += (32 + length + 7) // 8 * 8
P
}

# compare RAW SALVAGED: each page of the salvaged image is that of the raw memory, or unreadable. Prints
# how many are unreadable.
compare() {
  ckpt-restore -q "$2" --to raw -o salvaged.raw --force 2>/dev/null
  python3 - "$1" salvaged.raw report.json <<'P'
import json, sys
right, found = (open(name, "rb").read() for name in sys.argv[1:3])
report = json.load(open(sys.argv[3]))
lost = {p for r in report["lost"]["ranges"] for p in range(r["first"], r["last"] + 1)}
assert report["lost"]["pages"] == len(lost)
unknown = [(r["first"], r["last"]) for r in report["unknown"]]
size = max(len(right), len(found))
right, found = right.ljust(size, b"\0"), found.ljust(size, b"\0")
zero = bytes(4096)
for page in range(size // 4096):
    a, b = (m[page * 4096:page * 4096 + 4096] for m in (right, found))
    if page in lost:
        assert b == zero, f"PFN {page} is lost, and not empty"
    elif a != b:
        assert b == zero and any(f <= page <= l for f, l in unknown), f"PFN {page} differs"
print(len(lost))
P
}

# salvage STATUS PARENT-RAW FILE: salvages, verifies and compares; the number of lost pages is in lost.
salvage() {
  local wanted=$1 raw=$2 status=0
  ckpt-verify --salvage out.ckpt "$3" --force --json >report.json 2>message || status=$?
  [[ $status == "$wanted" ]] || fail "salvage $3: status $status, expected $wanted: $(cat message report.json | head -20)"
  ckpt-verify -q out.ckpt || fail "salvage of $3 is not sound"
  lost=$(compare "$raw" out.ckpt) || fail "salvage of $3"
}

# Nothing is wrong: the same moment. The machine state and its layout are carried over.
salvage 0 base.raw base.ckpt
expect 0 '' ckpt-diff base.ckpt out.ckpt
ckpt-restore -q out.ckpt --to xl -o out.xl
ckpt-restore -q base.ckpt --to xl -o base.xl
cmp out.xl base.xl

# The trailer, the root, the index gone: everything is still there.
for name in base tip memory; do
  raw=base.raw
  [[ $name != tip ]] || raw=tip.raw
  for kind in trailer root index; do
    head -c "$(place $kind $name.ckpt)" $name.ckpt >cut.ckpt
    salvage 0 $raw cut.ckpt
    expect 0 '' ckpt-diff $name.ckpt out.ckpt
  done
done
ckpt-restore -q base.ckpt --to xl -o base.xl --force
head -c "$(place index base.ckpt)" base.ckpt >cut.ckpt
ckpt-verify -q --salvage out.ckpt cut.ckpt --force
ckpt-restore -q out.ckpt --to xl -o out.xl --force
state() { "$root/Tests/Oracle/flatten-stream.py" --digest "$@"; }
[[ $(state out.xl) == "$(state base.xl)" ]] || fail "the export of a salvaged image is another state"

# A sector of zeros in the middle: with the index only the pages of one region or two are lost.
for name in base tip memory; do
  raw=base.raw
  [[ $name != tip ]] || raw=tip.raw
  cp $name.ckpt damaged.ckpt
  dd if=/dev/zero of=damaged.ckpt bs=4096 seek=$(($(place index $name.ckpt) / 8192)) count=1 conv=notrunc status=none
  salvage 1 $raw damaged.ckpt
  ((0 < lost && lost <= 512)) || fail "$name: $lost pages are lost of one sector"
  [[ $name == memory ]] || expect 2 'unreadable' ckpt-restore out.ckpt --to xl -o out.xl --force
done

# Plain memory cut in the middle: what comes before is rescued.
head -c $(($(stat -c %s memory.ckpt) / 2)) memory.ckpt >cut.ckpt
salvage 1 base.raw cut.ckpt
rescued=$(python3 -c 'import json; print(json.load(open("report.json"))["rescued"]["byChecksum"])')
((rescued > 3000)) || fail "only $rescued pages were rescued of half an image"

# So it is in an increment of plain memory; with one region it has to be cut behind that.
ckpt-capture -q --format raw tip.raw --parent memory.ckpt -o memory-tip.ckpt
head -c "$(place states memory-tip.ckpt || place provenance memory-tip.ckpt)" memory-tip.ckpt >cut.ckpt
salvage 1 tip.raw cut.ckpt
rescued=$(python3 -c 'import json; print(json.load(open("report.json"))["rescued"]["byChecksum"])')
((rescued > 500)) || fail "only $rescued pages of a cut increment were rescued"

# In an image of an xl save file a page may come again: none of half an image is sure to be the last copy.
head -c $(($(stat -c %s base.ckpt) / 2)) base.ckpt >cut.ckpt
salvage 1 base.raw cut.ckpt
rescued=$(python3 -c 'import json; print(json.load(open("report.json"))["rescued"]["byChecksum"])')
((rescued == 0)) || fail "$rescued pages were taken for the last copies"
# In an increment, pages that did not come may have changed: none is the parent's.
head -c $(($(stat -c %s tip.ckpt) / 2)) tip.ckpt >cut.ckpt
salvage 1 tip.raw cut.ckpt
((lost > 10000)) || fail "only $lost pages of a cut increment are lost"

# What cannot be done, and what is left alone.
mkdir alone
cp cut.ckpt alone
expect 2 'its parent, checkpoint .*--search' ckpt-verify --salvage no.ckpt alone/cut.ckpt
head -c 100 base.ckpt >short.ckpt
expect 2 'short.ckpt' ckpt-verify --salvage no.ckpt short.ckpt
expect 2 'exists already' ckpt-verify --salvage out.ckpt cut.ckpt
expect 2 'would replace this image' ckpt-verify --salvage cut.ckpt cut.ckpt --force
expect 2 'would replace this image' ckpt-verify --salvage base.ckpt cut.ckpt --force
expect 64 'quick' ckpt-verify --quick --salvage no.ckpt cut.ckpt
expect 64 'salvage' ckpt-verify --force cut.ckpt
nothing_left no.ckpt
expect 1 'unreadable: PFN' ckpt-verify --salvage - cut.ckpt
cp output piped.ckpt
ckpt-verify -q piped.ckpt

# A capture that is interrupted leaves what it has beside its name.
head -c 20000000 base.raw >part.raw
mkfifo pipe
ckpt-capture -q --format raw - -o new.ckpt <pipe 2>message &
tool=$!
exec 7>pipe
cat part.raw >&7
until [[ $(stat -c %s .new.ckpt.*.partial) -gt 1000000 ]]; do sleep 0.05; done
kill -TERM $tool
status=0
wait $tool || status=$?
exec 7>&-
[[ $status == 143 ]] || fail "interrupted capture: status $status: $(cat message)"
grep -q "ckpt-verify --salvage FILE new.ckpt.partial" message || fail "no hint: $(cat message)"
[[ -e new.ckpt.partial && ! -e new.ckpt ]] || fail "no new.ckpt.partial"
salvage 1 base.raw new.ckpt.partial
rescued=$(python3 -c 'import json; print(json.load(open("report.json"))["rescued"]["byChecksum"])')
((rescued > 500)) || fail "only $rescued pages were rescued of an interrupted capture"
# Plain memory that breaks off is an image of what came.
zstd -q -1 part.raw -o part.zst
head -c $(($(stat -c %s part.zst) * 3 / 4)) part.zst >cut.zst
expect 1 "warning: cut.zst: .*ends" ckpt-capture --format raw cut.zst -o new.ckpt
ckpt-restore -q new.ckpt --to raw -o new.raw
(($(stat -c %s new.raw) > 1000000)) || fail "only $(stat -c %s new.raw) bytes of cut.zst were kept"
cmp -n "$(stat -c %s new.raw)" new.raw part.raw || fail "other memory than cut.zst has"
rm new.ckpt new.raw
pages=$(($(stat -c %s part.raw) * 3 / 4 / 4096))
expect 1 'warning: standard input: .*only 100 bytes' \
  ckpt-capture --format raw - -o new.ckpt < <(head -c $((pages * 4096 + 100)) part.raw)
ckpt-restore -q new.ckpt --to raw -o new.raw
cmp new.raw <(head -c $((pages * 4096)) part.raw) || fail "other memory than came through the pipe"
rm new.ckpt new.raw
# What an earlier capture left makes room, a file of somebody else's does not.
head -c 30000000 $save/save-1 >cut-save
expect 1 "cut-save: .*so far is in new.ckpt.partial; --keep-uncertain" ckpt-capture cut-save -o new.ckpt
expect 1 "cut-save: .*so far is in new.ckpt.partial" ckpt-capture cut-save -o new.ckpt
unfinished_left new.ckpt
echo precious >new.ckpt.partial
expect 1 'cut-save' ckpt-capture cut-save -o new.ckpt
grep -q precious new.ckpt.partial || fail "new.ckpt.partial was replaced"
grep -q 'so far' message && fail "nothing was left, and the message says that something was"
rm new.ckpt.partial
# Nothing stays if no page was stored yet, or if the request could not be met.
head -c 100 $save/save-1 >cut-save
expect 1 'cut-save' ckpt-capture cut-save -o new.ckpt
nothing_left new.ckpt
echo "salvage: 3 images"
