#!/usr/bin/env bash
# ckpt-inspect against strings, grep, dd, sha256sum and decoders in Python that share no code with it; images
# as JSON and back, byte for byte, sealed again after a change, and of damaged files.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
# Debian's own, which has python3-zstandard.
python=/usr/bin/python3
SEED=${SEED:-$RANDOM}
echo "SEED=$SEED"

zstd -dcq --long=30 "$root/Fixtures/xen-64.tar.zst" | tar x
for guest in pv pvh; do
  ckpt-capture -q $guest-64/save-1 -o $guest-1.ckpt
  ckpt-capture -q $guest-64/save-2 -o $guest-2.ckpt --parent $guest-1.ckpt --codec zlib
  ckpt-capture -q $guest-64/save-3 -o $guest-3.ckpt --parent $guest-2.ckpt --codec none
  ckpt-merge -q $guest-3.ckpt -o $guest-merged.ckpt
  ckpt-merge -q $guest-3.ckpt --onto $guest-1.ckpt -o $guest-span.ckpt
done
ckpt-restore -q pv-3.ckpt --to raw -o pv.raw

# Digests: the tree's is the one that info tells, the flat one that of the raw file, holes and all.
[[ $(ckpt-inspect digest pv-3.ckpt) == $(ckpt-inspect info --json pv-3.ckpt | jq -r .image.memoryDigest) ]] ||
  fail "memory digest"
[[ $(ckpt-inspect digest --sha256 pv-3.ckpt) == $(sha256sum <pv.raw | cut -c1-64) ]] || fail "digest of the raw file"
[[ $(ckpt-inspect digest --sha256 pvh-3.ckpt) == \
  $(ckpt-restore -q pvh-3.ckpt --to raw -o - 2>/dev/null | sha256sum | cut -c1-64) ]] || fail "digest with a hole"
[[ $(ckpt-inspect digest --range 0x123-999 pv-3.ckpt) == \
  $(dd if=pv.raw bs=4096 skip=$((0x123)) count=$((1000 - 0x123)) status=none | sha256sum | cut -c1-64) ]] ||
  fail "digest of a range"
# Behind the end is nothing but zeros.
[[ $(ckpt-inspect digest --range 20000-20001 pv-3.ckpt) == $(head -c 8192 /dev/zero | sha256sum | cut -c1-64) ]] ||
  fail "digest of a hole"
expect 2 "too much to be hashed" ckpt-inspect digest --range 0-0xfffffffffffff pv-3.ckpt

# Strings, as strings(1) finds them.
for count in 4 9; do
  ckpt-inspect strings -q --encoding ascii -n $count pv-3.ckpt >ours
  strings -n $count -tx pv.raw | sed 's/^ */0x/' | cmp ours - || fail "strings -n $count"
done
ckpt-inspect strings -q --encoding utf-16le pv-3.ckpt >ours
strings -el -tx pv.raw | sed 's/^ */0x/' | cmp ours - || fail "strings -el"
[[ -s ours ]] || fail "no strings in UTF-16"
ckpt-inspect strings -q --json pv-3.ckpt >strings.json
ckpt-inspect strings -q pv-3.ckpt >both
"$python" - <<'P' || fail "strings --json"
import json
found = json.load(open("strings.json"))
lines = [line.rstrip("\n") for line in open("both")]
assert [f"{one['address']:#x} {one['text']}" for one in found] == lines and len(lines) > 100000
assert {one["encoding"] for one in found} == {"ascii", "utf-16le"}
P
rm both strings.json

# Search, as grep finds it; across borders too.
"$python" - <<'P' >borders
memory = open("pv.raw", "rb").read()
count = 0
for border in range(4096, len(memory), 4096):
    part = memory[border - 6:border + 6]
    if 0 not in part and len(set(part)) > 6 and count < 5:
        print("".join(f"\\x{byte:02x}" for byte in part))
        count += 1
assert count == 5
P
{ cat borders && printf '%s\n' '\x6c\x69\x6e\x75\x78' '\x4c\x00\x69\x00' '\x00\x00\x00\xff' '\x90\x90\x90'; } >patterns
while read -r pattern; do
  hex=${pattern//\\x/}
  grep -obUaP "$pattern" pv.raw | cut -d: -f1 >expected || true
  ckpt-inspect search -q --hex "$hex" pv-3.ckpt >ours || true
  "$python" - "$hex" <<'P' || fail "search $hex"
import sys
expected = [int(line) for line in open("expected")]
ours = [line.split() for line in open("ours")]
assert [int(one[0], 16) for one in ours] == expected, (len(ours), len(expected))
assert all(int(one[2], 16) == int(one[0], 16) // 4096 for one in ours)
P
done <patterns
[[ $(ckpt-inspect search -q --text Linux --count pv-3.ckpt) == $(grep -oUa Linux pv.raw | wc -l) ]] || fail "--count"
[[ $(ckpt-inspect search -q --utf16 Lin --count pv-3.ckpt) == $(grep -obUaP 'L\x00i\x00n\x00' pv.raw | wc -l) ]] ||
  fail "--utf16"
expect 1 '^0$' ckpt-inspect search --count --text "no guest says this" pv-3.ckpt
expect 1 '^\[$' ckpt-inspect search --json --text "no guest says this" pv-3.ckpt
ckpt-inspect search -q --text "Linux version" --context 100 --json pv-3.ckpt >found.json
"$python" - <<'P' || fail "--context"
import json
memory = open("pv.raw", "rb").read()
found = json.load(open("found.json"))
assert found
for one in found:
    context = bytes.fromhex(one["context"])
    assert memory[one["contextAddress"]:][:len(context)] == context and b"Linux version" in context
    assert one["address"] - one["contextAddress"] == 100 and len(context) == 213
P

# Ranges of bytes and pages, as dd reads them.
"$python" - "$SEED" <<'P' || fail "read"
import random, subprocess, sys
rng, memory = random.Random(int(sys.argv[1])), open("pv.raw", "rb").read()
run = lambda *command: subprocess.run(command, capture_output=True, check=True)
for _ in range(25):
    address = rng.choice([rng.randrange(len(memory)), rng.randrange(len(memory) // 4096) * 4096, len(memory) - 100])
    length = rng.choice([1, 15, 16, 4096, 4097, rng.randrange(1, 3 << 20), 300])
    expected = memory[address:address + length].ljust(length, b"\0")
    where = ["--address", rng.choice([hex(address), str(address)]), "--length", str(length), "pv-3.ckpt"]
    assert run("ckpt-inspect", "read", "--raw", *where).stdout == expected, where
    text = run("ckpt-inspect", "read", *where).stdout.decode().splitlines()
    dump = run("hexdump", "-C", "-s", str(address), "-n", str(length), "pv.raw").stdout.decode().splitlines()
    if len(memory) - address >= length:
        assert text == dump, where
    pfn = address // 4096
    assert run("ckpt-inspect", "page", "--raw", "pv-3.ckpt", hex(pfn)).stdout == memory[pfn * 4096:][:4096]
P
expect 0 "shown as zeros: PFN 0x4000-0x4001 unpopulated" ckpt-inspect read --address 0x4000000 --length 8192 pv-3.ckpt
# A hole costs no time in a dump, however long it is.
expect 0 "^ffffffffffffffff$" ckpt-inspect read --address 0x100000000 --length 0xfffffffeffffffff pv-3.ckpt
# The last page, in which state it is and where.
ckpt-inspect page --json pv-3.ckpt 0x3fdb >page.json
"$python" - <<'P' || fail "page"
import hashlib, json
page = json.load(open("page.json"))
memory = open("pv.raw", "rb").read()[0x3fdb * 4096:][:4096]
assert page["state"] == "data" and bytes.fromhex(page["contents"]) == memory
assert page["digest"] == hashlib.sha256(memory).hexdigest()
with open(page["image"], "rb") as image:
    image.seek(page["regionOffset"])
    assert image.read(6) == b"VMCK\3\0"
P
for wrong in "read --address 1x --length 1" "read --address 0 --length 0" "read --address 5 --length 0xffffffffffffffff" \
  "search" "search --hex abc" "search --hex 00 --text a" "digest --range 9-8" "digest --range 1-0x10000000000000" "strings -n 0"; do
  # shellcheck disable=SC2086
  expect 64 "rror" ckpt-inspect $wrong pv-3.ckpt
done
rm pv.raw

# Registers and records, decoded from the save file by other means.
for guest in pv pvh; do
  ckpt-inspect records --json $guest-3.ckpt >records.json
  ckpt-inspect vcpu --json $guest-3.ckpt >vcpu.json
  for number in 1 5 7; do ckpt-inspect records --record $number --raw $guest-3.ckpt >record-$number; done
  ckpt-inspect vcpu $guest-3.ckpt >text
  "$python" "$root/Tests/Oracle/xen-records.py" $guest-64/save-3 records.json vcpu.json || fail "$guest: records"
done
rm -r ./*-64
"$root/Fixtures/generate-streams.py" streams
for stream in streams/good-*.xl; do
  ckpt-capture -q "$stream" -o image.ckpt --force
  ckpt-inspect records --json image.ckpt >records.json
  ckpt-inspect vcpu --json image.ckpt >vcpu.json
  "$python" "$root/Tests/Oracle/xen-records.py" "$stream" records.json vcpu.json || fail "$stream: records"
done
# A hole of 2^52 pages costs no time.
ckpt-capture -q streams/good-hvm-highest-pfn.xl -o image.ckpt --force
timeout 10 ckpt-inspect strings -q image.ckpt >ours || fail "strings across a hole"
grep -q '^0xfffffffffffff' ours || fail "no strings in the last page"
expect 0 "^[1-9]" timeout 10 ckpt-inspect search --count --hex 73a9be image.ckpt
expect 2 "too much to be hashed" ckpt-inspect digest --sha256 image.ckpt
expect 0 "^00000000$" ckpt-inspect read --address 0xfffffffffffffff0 --length 16 image.ckpt

memory plain.raw 30 1
ckpt-capture -q --format raw plain.raw -o plain.ckpt
expect 2 "no records of processors" ckpt-inspect vcpu plain.ckpt
expect 2 "there is no record 99" ckpt-inspect records --record 99 --raw pv-3.ckpt

# Where the bytes go: all of them, and every page once.
for image in pv-3 pv-merged pvh-span plain; do
  for chain in "" --chain; do
    # shellcheck disable=SC2086
    ckpt-inspect regions $chain --json $image.ckpt >regions.json
    "$python" - $image.ckpt "$chain" <<'P' || fail "regions of $image"
import json, os, sys
reports = json.load(open("regions.json"))
assert len(reports) == (1 if not sys.argv[2] else len([one for one in reports if "file" in one]) + 1)
for one in reports:
    parts = sum(r["storedBytes"] for r in one["regions"].values()) + sum(s["bytes"] for s in one["segments"].values())
    assert parts == one["bytes"], one
    if "file" in one:
        assert one["bytes"] == os.path.getsize(one["file"])
    for region in one["regions"].values():
        assert region["expandedBytes"] == 4096 * region["pages"] and region["livePages"] <= region["pages"]
if sys.argv[2]:
    assert reports[-1]["shownAtTip"] == reports[-1]["pagesAtTip"].get("data", 0)
    assert reports[-1]["bytes"] == sum(one["bytes"] for one in reports[:-1])
P
  done
done

# As JSON and back: every kind of image, sound and damaged, is the same file.
back() {
  rm -f back.ckpt
  ckpt-inspect decode "$1" >image.json || fail "decode $1"
  ckpt-inspect encode -q image.json -o back.ckpt || fail "encode $1"
  cmp "$1" back.ckpt || fail "$1 is not the same after decode and encode"
}
for image in *-?.ckpt *-merged.ckpt *-span.ckpt plain.ckpt; do
  back "$image"
  # Of a base, nothing that follows is told.
  if jq -e '.[0].Header.Parent_ID' image.json >/dev/null; then continue; fi
  jq -e '[.[] | has("Kind") or has("Ordinal") or has("Body_Checksum")] | any | not' image.json >/dev/null ||
    fail "$image: what follows is told"
  jq -e '.[-2].Root | keys == ["Layout"]' image.json >/dev/null || fail "$image: the root's digests are told"
done
"$root/Fixtures/generate-vectors.py" vectors
count=0
for vector in vectors/*.ckpt; do
  if ckpt-inspect decode "$vector" >image.json 2>message; then
    rm -f back.ckpt
    ckpt-inspect encode -q image.json -o back.ckpt || fail "encode $vector"
    cmp "$vector" back.ckpt || fail "$vector is not the same after decode and encode"
    count=$((count + 1))
  else
    # Without a sound header it is no image.
    grep -qE "error: $vector: (byte (0|32): the file ends|.*(header|segment frame))" message || fail "$vector: $(cat message)"
  fi
done
((count > 200)) || fail "only $count vectors"
head -c 2000000 pv-1.ckpt >cut.ckpt
back cut.ckpt
{ cat plain.ckpt && head -c 3000000 pv-1.ckpt; } >longer.ckpt
back longer.ckpt

# Changed by hand and sealed again: sound, and changed in that alone.
ckpt-capture -q --format raw plain.raw -o none.ckpt --codec none
ckpt-inspect decode none.ckpt >image.json
"$python" - <<'P'
import base64, json
segments = json.load(open("image.json"))
region = next(one["Region"] for one in segments if "Region" in one)
payload = bytearray(base64.b64decode(region["Payload"]))
payload[5] ^= 1
region["Payload"] = base64.b64encode(payload).decode()
pfn = region["Runs"][0]["PFN"]
for one in segments:
    for field in one.get("Provenance", []):
        if field["Key"] == "host":
            field["Value"] = "a much longer name than the machine had before"
json.dump(segments, open("image.json", "w"))
memory = bytearray(open("plain.raw", "rb").read())
memory[pfn * 4096 + 5] ^= 1
open("changed.raw", "wb").write(memory)
P
jq . image.json | ckpt-inspect encode -q - -o changed.ckpt
ckpt-verify -q changed.ckpt || fail "an image that was sealed again is not sound"
ckpt-restore -q changed.ckpt --to raw -o - 2>/dev/null | cmp - changed.raw || fail "the change is not there"
expect 0 "a much longer name" ckpt-inspect info changed.ckpt
# An image that the new one needs is not replaced, be it its parent or the base.
ckpt-inspect decode pv-3.ckpt >image.json
for needed in pv-1.ckpt pv-2.ckpt; do
  cp $needed before
  expect 2 "needed" ckpt-inspect encode image.json -o $needed --force
  cmp before $needed || fail "$needed was replaced"
done
expect 2 "segment 0" ckpt-inspect encode <(echo '[{"Root": {"Layout": "none"}}]') -o x.ckpt
expect 2 "expected a list" ckpt-inspect encode plain.ckpt -o x.ckpt
nothing_left x.ckpt
