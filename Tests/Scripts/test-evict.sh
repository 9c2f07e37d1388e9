#!/usr/bin/env bash
# Pages that are left out of images: by lists, by what makedumpfile left out, and by what a guest uses them for. Every
# page is judged: by the list itself, by Xen's verifier and an applier of its streams, by the reader beside the
# specification, by makedumpfile's own bitmaps.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
python=/usr/bin/python3
reader() { "$python" "$root/Spec/read_image.py" "$@"; }
digest() { ckpt-inspect "$1" --json | "$python" -c 'import json,sys; print(json.load(sys.stdin)["image"]["memoryDigest"])'; }
provenance() {
  ckpt-inspect "$1" >history
  grep -qaF -- "  $2" history || fail "$1: no '$2' in its history"
}

# nowhere IMAGE: nor do regions hold what was left out, for each page of its source came once.
nowhere() {
  local dead
  dead=$(ckpt-inspect "$1" --json | "$python" -c 'import json,sys; print(json.load(sys.stdin)["image"]["deadCopies"])')
  [[ $dead == 0 ]] || fail "$1: $dead dead copies"
}

# check IMAGE RAW LIST: exactly the pages of LIST (lines of PFN and reason) are evicted; all others are as in RAW; the
# reader beside the specification says the same.
check() {
  ckpt-verify -q "$1" || fail "$1 is not sound"
  reader "$1" --flat flat.raw >/dev/null || fail "the reader: $1"
  ckpt-restore "$1" --to raw -o restored.raw --force 2>message
  cmp flat.raw restored.raw || fail "$1: the readers differ"
  ckpt-inspect map --json "$1" >runs
  "$python" - "$2" "$3" <<'P' || fail "$1: not what was to be left out"
import json, sys
pages = {}
for line in open(sys.argv[2]):
    number, reason = line.split()
    pages[int(number)] = reason
states = {}
for run in json.load(open("runs")):
    for pfn in range(run["pfn"], run["pfn"] + run["count"]):
        states[pfn] = run
evicted = {pfn: run["reason"] for pfn, run in states.items() if run["state"] == "evicted"}
assert evicted == pages, sorted(set(evicted.items()) ^ set(pages.items()))[:5]
with open(sys.argv[1], "rb") as before, open("restored.raw", "rb") as after:
    number = 0
    while page := before.read(4096):
        expected = bytes(4096) if number in pages else page
        assert after.read(4096).ljust(4096, b"\0") == expected, number
        number += 1
    assert not after.read(1)
if pages:
    assert f"{len(pages)} evicted" in open("message").read(), open("message").read()
P
  rm flat.raw restored.raw
}

# Lists. A page of zeros that is on a list is left out like any other; a page that is not there stays so.
memory a.raw 700 1
memory b.raw 700 2
cat >list <<'E'
# comment
0x10-0x1f            # hexadecimal, the default reason
100+50 free
7	user
512-0xfffffffffffff  cleanPageCache
E
"$python" >pages <<'P'
for pfn in range(700):
    reason = ("listed" if 16 <= pfn < 32 else "free" if 100 <= pfn < 150 else "user" if pfn == 7
              else "cleanPageCache" if pfn >= 512 else None)
    if reason:
        print(pfn, reason)
P
: >none
ckpt-capture -q --format raw a.raw -o a.ckpt
ckpt-capture -q --format raw a.raw --evict-list list -o listed.ckpt
check a.ckpt a.raw none
check listed.ckpt a.raw pages
for field in 'evict.policy: none' 'evict.free: 50' 'evict.listed: 16' 'evict.cleanPageCache: 188' 'restorable: no'; do
  provenance listed.ckpt "$field"
done
expect 0 '^evicted  *188 cleanPageCache, 50 free, 16 listed, 1 user$' ckpt-inspect info listed.ckpt

# From a pipe, the same.
ckpt-capture -q --format raw - --evict-list list -o piped.ckpt <a.raw
check piped.ckpt a.raw pages
[[ $(digest piped.ckpt) == "$(digest listed.ckpt)" ]] || fail "a pipe gives another memory"
nowhere piped.ckpt

# What is left out of a file is not read, but for its digest; an end that is no page is seen all the same.
ckpt-capture -q --format raw a.raw --evict-list list --hash-source -o hashed.ckpt
check hashed.ckpt a.raw pages
provenance hashed.ckpt "source.sha256: $(sha256sum a.raw | cut -d' ' -f1)"
{ cat a.raw; echo; } >odd.raw
expect 2 'the last page has only 1 bytes' ckpt-capture -q --format raw odd.raw --evict-list list -o odd.ckpt

# Pages that are named and not there, as addresses would be, are told of.
echo 699+3 >behind
expect 0 'of 3 pages that were to be left out, 2 have no contents' \
  ckpt-capture -q --json --format raw a.raw --evict-list behind -o behind.ckpt
[[ $(jq -c '[.absent, .evicted]' output) == '[2,{"listed":1}]' ]] || fail "absent pages in JSON: $(cat output)"
echo 0x2bc000-0x2bcfff >addresses
for name in a.ckpt listed.ckpt; do
  expect 0 'of 4096 pages .* 4096 have no contents there: a PFN is an address divided by 4096' \
    ckpt-merge -q $name --evict-list addresses -o addresses.ckpt --force
done
ckpt-merge listed.ckpt --evict-list list -o twice.ckpt 2>message
grep -q 'have no contents there' message || fail "pages left out before: $(cat message)"

# An output that exists is told of before the source is read.
touch taken
expect 2 'taken: exists already' ckpt-capture --format raw - --evict-list list -o taken < <(sleep 5)

# By a merge, the same; as an increment too; the inputs stay, and the moment has another name.
sha256sum a.ckpt >sums
ckpt-merge -q a.ckpt --evict-list list -o merged.ckpt
check merged.ckpt a.raw pages
[[ $(digest merged.ckpt) == "$(digest listed.ckpt)" ]] || fail "a merge gives another memory"
ckpt-capture -q --format raw b.raw -p a.ckpt -o b.ckpt
nowhere merged.ckpt
ckpt-merge -q b.ckpt --onto a.ckpt --evict-list list -o span.ckpt
check span.ckpt b.raw pages
ckpt-merge -q b.ckpt --evict-list list --codec zlib -o b-merged.ckpt
[[ $(digest span.ckpt) == "$(digest b-merged.ckpt)" ]] || fail "an increment gives another memory"
sha256sum -c --quiet sums
mkdir apart
cp merged.ckpt b.ckpt apart
expect 2 'parent' ckpt-restore apart/b.ckpt --to raw -o out.raw

# A page that was left out and is no longer is stored, although it did not change.
ckpt-capture -q --format raw a.raw -p listed.ckpt -o again.ckpt
check again.ckpt a.raw none
# And an increment may leave out what its parent has.
ckpt-capture -q --format raw b.raw -p again.ckpt --evict-list list -o later.ckpt
check later.ckpt b.raw pages
ckpt-capture -q --format raw - -p again.ckpt --evict-list list -o piped-later.ckpt <b.raw
check piped-later.ckpt b.raw pages
[[ $(digest later.ckpt) == "$(digest piped-later.ckpt)" ]] || fail "an increment from a pipe differs"

# Lists that are wrong: the line is named, nothing is left.
bad() { expect 2 "$1" ckpt-capture --format raw a.raw --evict-list bad -o bad.ckpt && nothing_left bad.ckpt; }
printf '1-2\n3-x\n' >bad && bad "bad: line 2: '3-x' is not a range"
printf '5-4\n' >bad && bad 'line 1'
printf '1 none\n' >bad && bad "'none' is not a reason"
printf '9\n\n1-10\n' >bad && bad 'line 3: names pages that line 1 names too'
printf '0x10000000000000\n' >bad && bad 'line 1'
head -c 3000 /dev/urandom >bad && bad 'line [0-9]+|is no'
expect 2 'missing' ckpt-capture --format raw a.raw --evict-list missing -o bad.ckpt
expect 2 'not a kdump-compressed dump' ckpt-capture --format raw a.raw --evict-kdump list -o bad.ckpt
expect 64 'only once' ckpt-capture --format raw - --evict-list - -o bad.ckpt <list
expect 64 'only once' ckpt-merge a.ckpt --evict-list - --evict-kdump - -o bad.ckpt <list
expect 64 'evict' ckpt-capture --format raw a.raw --evict some -o bad.ckpt
expect 64 'evict-list' ckpt-capture xen:nobody --evict-list list -o bad.ckpt
nothing_left bad.ckpt

# Guests of Xen with a kernel that says nothing of itself: all is kept, with a warning.
zstd -dcq --long=30 "$root/Fixtures/xen-64.tar.zst" | tar x pv-64/save-1 pvh-64/save-1
zstd -dcq --long=30 "$root/Fixtures/checkpointed-64.tar.zst" | tar x
for guest in pv pvh; do
  ckpt-capture -q $guest-64/save-1 -o $guest.ckpt
  for policy in free user; do
    expect 0 'no Linux guest recognised.* all are kept' \
      ckpt-capture $guest-64/save-1 --evict $policy -o $guest-$policy.ckpt
    [[ $(digest $guest-$policy.ckpt) == "$(digest $guest.ckpt)" ]] || fail "$guest: not all was kept"
    provenance $guest-$policy.ckpt 'evict.obstacle: no Linux guest recognised'
    ckpt-merge -q --json $guest.ckpt --evict $policy -o obstacle.ckpt --force 2>/dev/null >report
    jq -e '.evictObstacle | startswith("no Linux guest recognised")' report >/dev/null || fail "JSON: $(cat report)"
    ckpt-restore -q $guest-$policy.ckpt --to xl -o $guest.xl --force
    cmp $guest.xl $guest-64/save-1 || fail "$guest: does not come back"
  done
  expect 0 'no Linux guest recognised' ckpt-merge $guest.ckpt --evict cache -o $guest-merged.ckpt
  [[ $(digest $guest-merged.ckpt) == "$(digest $guest.ckpt)" ]] || fail "$guest: the merge left something out"
  expect 2 'no Linux guest recognised' ckpt-inspect guest $guest.ckpt
  expect 2 'no Linux guest recognised' ckpt-inspect map --by class $guest.ckpt
  expect 2 'no Linux guest recognised' ckpt-diff --by class $guest.ckpt $guest-merged.ckpt
  # Of a moment of many nothing can be left out.
  expect 2 'ckpt-merge --evict' ckpt-capture $guest-64/*.stream --evict free -o "$guest-%d.ckpt"
  expect 2 'ckpt-merge --evict' ckpt-capture $guest-64/*.stream --evict-list list -o "$guest-%d.ckpt"
  nothing_left "$guest-0.ckpt"
done

# All pages of a guest, as if they were free: what a restore needs stays, and the others are there, as zeros.
echo '0-0xfffffffffffff free' >all
echo '0-0xfffffffffffff' >all-listed
verifier() {
  local status=0
  "$root/Tests/Oracle/xen-verifier" "$@" >/dev/null 2>verdict || status=$?
  [[ $status != 77 ]] || { cat verdict && return 0; }
  [[ $status == 0 ]] || fail "Xen's verifier: $*: $(tail -3 verdict)"
}
for guest in pv pvh; do
  ckpt-capture -q $guest-64/save-1 --evict-list all -o $guest-all.ckpt
  ckpt-merge -q $guest.ckpt --evict-list all -o $guest-all-merged.ckpt
  [[ $(digest $guest-all.ckpt) == "$(digest $guest-all-merged.ckpt)" ]] || fail "$guest: capture and merge differ"
  ckpt-verify -q $guest-all.ckpt
  reader $guest-all.ckpt >/dev/null || fail "the reader: $guest-all.ckpt"
  ckpt-restore -q $guest.ckpt --to raw -o memory.raw --force 2>/dev/null
  ckpt-inspect records --json $guest.ckpt >records.json
  ckpt-inspect vcpu --json $guest.ckpt >vcpus.json
  for format in xl libxl libxc; do
    ckpt-restore -q $guest-all.ckpt --to $format -o out.$format --force 2>/dev/null
    verifier out.$format $format
    "$root/Tests/Oracle/flatten-stream.py" $guest-64/save-1 --of libxc >before
    "$root/Tests/Oracle/flatten-stream.py" out.$format --of libxc >after
    "$python" - $guest <<'P' || fail "$guest: $format: pages are not as they must be"
import hashlib, json, sys
ZERO = hashlib.sha256(bytes(4096)).hexdigest()
before, after = ([line.split() for line in open(name)] for name in ("before", "after"))
assert len(before) == len(after)
zeros = set()
for old, new in zip(before, after):
    # Each page is there as it was, with its type; some hold zeros.
    assert old == new or old[:2] == new[:2] and old[1] == "0" and new[2] == ZERO, (old, new)
    if old != new:
        zeros.add(int(old[0], 16))
needed = set()
for record in json.load(open("records.json")):
    contents = record.get("contents")
    if record["name"] == "X86_PV_P2M_FRAMES":
        needed |= {int(frame, 16) for frame in contents["frames"]}
    if record["name"] == "HVM_PARAMS":
        needed |= {int(value["value"], 16) for value in contents if value["name"] in ("STORE_PFN", "CONSOLE_PFN")}
if sys.argv[1] == "pv":
    for vcpu in json.load(open("vcpus.json")):
        needed |= {int(vcpu["control"][name], 16) >> 12 for name in ("cr1", "cr3")}
        needed |= {int(value, 16) for name, value in vcpu["tables"].items() if name.startswith("gdt_frame")}
    # Xen's domain builder begins start_info so.
    memory = open("memory.raw", "rb").read()
    info = [at // 4096 for at in range(0, len(memory), 4096) if memory.startswith(b"xen-3.0-x86_64", at)]
    assert info
    needed |= set(info)
assert len(needed) > 1 and not needed & zeros, sorted(needed & zeros)
assert len(zeros) > 12000, len(zeros)
P
  done
  ckpt-capture -q $guest-64/save-1 --evict-list all-listed -o $guest-listed.ckpt
  for format in xl libxl libxc; do
    expect 2 'left out \([0-9]* listed\).*no guest can go on' ckpt-restore $guest-listed.ckpt --to $format -o no.$format
    nothing_left no.$format
  done
  ckpt-restore -q $guest-listed.ckpt --to raw -o no.raw --force 2>/dev/null
done

# What the guest itself says of pages that a restore needs may be any number: here the page of its store.
"$python" - <<'P'
save = bytearray(open("pv-64/save-1", "rb").read())
at = save.index(b"xen-3.0-x86_64") + 56
save[at:at + 8] = b"\xff" * 8
open("hostile", "wb").write(save)
P
ckpt-capture -q hostile -o hostile.ckpt
ckpt-capture -q hostile --evict-list all -o hostile-all.ckpt
ckpt-merge -q hostile.ckpt --evict-list all -o hostile-merged.ckpt
[[ $(digest hostile-all.ckpt) == "$(digest hostile-merged.ckpt)" ]] || fail "a store beyond memory: capture and merge differ"

# A real guest.
status=0
"$root/Tests/Guests/make-guests" get 6.12 guest >guest.log 2>&1 || status=$?
if [[ $status == 77 ]]; then
  echo "skipped: a real guest: $(tail -n 1 guest.log)"
  exit 0
fi
[[ $status == 0 ]] || fail "make-guests: $(tail -n 3 guest.log)"

# classes IMAGE: what its guest uses pages for.
classes() {
  ckpt-inspect map --by class --json "$1"
  ckpt-inspect guest --json "$1" | grep -v '"evicted"'
}

raw=guest/memory.raw
ckpt-capture -q --format raw $raw -o guest.ckpt
classes guest.ckpt >uses
grep -q '"release" : "6\.12' uses || fail "the release: $(grep release uses)"
: >weaker
for policy in free cache user; do
  ckpt-capture -q --format raw $raw --evict $policy -o guest-$policy.ckpt
  provenance guest-$policy.ckpt "evict.policy: $policy"
  provenance guest-$policy.ckpt "guest.release: 6.12"
  evicted guest-$policy.ckpt >pages
  check guest-$policy.ckpt $raw pages
  # Each policy leaves out what the one before it does, and more.
  sort pages >stricter
  [[ -z $(comm -23 weaker stricter) ]] || fail "$policy keeps what a weaker policy leaves out"
  [[ $(wc -l <weaker) -lt $(wc -l <stricter) ]] || fail "$policy leaves out no more"
  mv stricter weaker
  # The descriptors are never left out.
  classes guest-$policy.ckpt | cmp - uses || fail "$policy: other classes are read from the image"
  ckpt-merge -q guest.ckpt --evict $policy -o merged-guest.ckpt --force
  [[ $(digest merged-guest.ckpt) == "$(digest guest-$policy.ckpt)" ]] || fail "$policy: the merge differs"
  # Applied to an image from which pages were left out before, the same comes of it.
  ckpt-merge -q guest-free.ckpt --evict $policy -o merged-guest.ckpt --force
  [[ $(digest merged-guest.ckpt) == "$(digest guest-$policy.ckpt)" ]] || fail "$policy: the second merge differs"
done
for reason in free cleanPageCache privateCache user; do
  grep -q " $reason\$" weaker || fail "nothing was left out as $reason"
done
provenance guest-user.ckpt 'restorable: no'
! ckpt-inspect guest-free.ckpt | grep -a restorable || fail "free pages keep no guest from going on"
ckpt-merge -q guest.ckpt --evict cache -o unmapped.ckpt
expect 1 'clean cache +0 ' ckpt-diff --by class guest.ckpt unmapped.ckpt
# Its blocks of free pages are all of its free pages.
ckpt-inspect guest --json guest.ckpt | jq '.freeBlocks | to_entries | map(.value * pow(2; .key)) | add' >blocks
ckpt-inspect guest --json guest.ckpt | jq '.classes[] | select(.name == "free").pages' | cmp - blocks || fail "blocks of free pages"
ckpt-capture -q --format raw $raw -p guest-user.ckpt -o whole.ckpt
: >none
check whole.ckpt $raw none
# As QEMU wrote the same moment, with a firmware behind the memory and the processors' registers beside it.
ckpt-capture -q guest/memory.elf --evict cache -o elf.ckpt
evicted elf.ckpt >elf
evicted guest-cache.ckpt | cmp - elf || fail "other pages are left out of QEMU's ELF file"

if ! command -v makedumpfile >/dev/null; then
  echo "skipped: a comparison with makedumpfile, which is not installed"
  exit 0
fi
for level in 16 31; do
  makedumpfile -c -d $level guest/memory.elf $level.kdump >makedumpfile.log 2>&1 || fail "makedumpfile: $(tail -n 3 makedumpfile.log)"
done
count=$(($(stat -c %s $raw) / 4096))
makedumpfile -F -c -d 16 guest/memory.elf >flat.kdump 2>makedumpfile.log
ckpt-capture -q --format raw $raw --evict-kdump 31.kdump -o kdump.ckpt
excluded 31.kdump listed $count >pages
[[ -s pages ]] || fail "makedumpfile left out nothing"
check kdump.ckpt $raw pages
ckpt-merge -q guest.ckpt --evict-kdump 31.kdump -o merged-guest.ckpt --force
[[ $(digest merged-guest.ckpt) == "$(digest kdump.ckpt)" ]] || fail "by a merge, another memory"
# What we take for free, makedumpfile does; what it takes for cache may be dirty, mapped or in no file.
excluded 16.kdump free $count | sort >theirs
evicted guest-free.ckpt | sort | comm -23 - theirs >ours
[[ ! -s ours ]] || fail "we leave out $(wc -l <ours) pages that makedumpfile does not take for free"
excluded 31.kdump any $count | cut -d ' ' -f 1 | sort >theirs
evicted guest-user.ckpt | cut -d ' ' -f 1 | sort | comm -23 - theirs >ours
[[ ! -s ours ]] || fail "we leave out $(wc -l <ours) pages that makedumpfile keeps"
# A policy and a dump together: each page has the reason of the first that names it.
ckpt-capture -q --format raw $raw --evict free --evict-kdump 31.kdump -o both.ckpt
{ evicted guest-free.ckpt && excluded 31.kdump listed $count; } | sort -n -s -u -k 1,1 >pages
check both.ckpt $raw pages

expect 2 'is a flattened dump' ckpt-capture --format raw $raw --evict-kdump flat.kdump -o bad.ckpt
expect 2 'is an ELF file' ckpt-capture --format raw $raw --evict-kdump guest/memory.elf -o bad.ckpt
for length in 9 400 4100 8200 20000; do
  head -c $length 31.kdump >cut.kdump
  expect 1 'cut.kdump: .*ends' ckpt-capture --format raw $raw --evict-kdump cut.kdump -o bad.ckpt
done
"$python" - <<'P'
import random
whole = open("31.kdump", "rb").read(1 << 20)
rng = random.Random(5)
for number in range(40):
    bytes_ = bytearray(whole)
    for _ in range(rng.choice((1, 4, 40))):
        at = rng.choice((rng.randrange(8, 12), rng.randrange(424, 464), rng.randrange(4096, 4200)))
        bytes_[at] = rng.choice((0, 1, 0xFF, rng.randrange(256)))
    open(f"wild-{number}.kdump", "wb").write(bytes_)
P
for dump in wild-*.kdump; do
  status=0
  timeout 60 ckpt-capture -q --format raw a.raw --evict-kdump "$dump" -o wild.ckpt --force 2>message || status=$?
  [[ $status -le 2 ]] || fail "$dump: status $status: $(head -3 message)"
done
