#!/usr/bin/env bash
# Crash dumps: what others write is captured, what is written others read: QEMU, makedumpfile, crash, drgn,
# libkdumpfile, gdb, Volatility 3. Damaged dumps are refused.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
# Debian's own, which has python3-libkdumpfile and python3-drgn.
python=/usr/bin/python3
note() { echo "note: $*"; }
has() { command -v "$1" >/dev/null || { note "$1 is not installed: not tried"; false; }; }
module() { "$1" -c "import $2" 2>/dev/null || { note "$1 has no module $2: not tried"; false; }; }
digest() { ckpt-inspect info --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["image"]["memoryDigest"])'; }
same_memory() { [[ $(digest "$1") == "$(digest "$2")" ]] || fail "$1 and $2 have different memory digests"; }
capture() { ckpt-capture -q "$@" --force; }
restore() { ckpt-restore -q "$@" --force; }

# Every format, through a file and through a pipe, holds the memory it was made of.
memory plain.raw 700 5
capture --format raw plain.raw -o plain.ckpt
for format in elf lime kdump; do
  restore plain.ckpt --to $format -o plain.$format 2>message
  capture plain.$format -o again.ckpt
  same_memory again.ckpt plain.ckpt
  capture - -o again.ckpt --hash-source < <(cat plain.$format)
  same_memory again.ckpt plain.ckpt
  ckpt-inspect info again.ckpt >facts
  grep -q "source.sha256: $(sha256sum <plain.$format | cut -d' ' -f1)" facts ||
    fail "$format: another digest than sha256sum's"
  [[ $format == lime ]] || grep -q 'without a VMCOREINFO note' message || fail "$format: nothing is said of VMCOREINFO"
done
for format in elf lime; do
  restore plain.ckpt --to $format -o - 2>message | cmp - plain.$format || fail "$format through a pipe"
done
expect 2 'standard output: .*kdump.*; use --to elf' ckpt-restore -q plain.ckpt --to kdump -o - 3>&1
for codec in none zstd; do
  restore plain.ckpt --to kdump --codec $codec -o plain-$codec.kdump 2>/dev/null
  capture plain-$codec.kdump -o again.ckpt
  same_memory again.ckpt plain.ckpt
done
[[ $(stat -c %s plain-none.kdump) -gt $(stat -c %s plain.kdump) ]] || fail "kdump is not compressed"

# Pages that are not known are in no dump: every page that is in one is right, and all others are missing.
cat >list <<'L'
3
100-163 free
600+7 user
L
capture --format raw plain.raw --evict-list list -o evicted.ckpt
for format in elf lime kdump; do
  ckpt-restore evicted.ckpt --to $format -o evicted.$format 2>message
  grep -q 'left out: 72 evicted' message || fail "$format: $(cat message)"
  capture evicted.$format -o again.ckpt
  ckpt-inspect info again.ckpt >facts
  case $format in
  kdump) grep -q '72 evicted' facts || fail "kdump: pages that were left out are not evicted: $(cat facts)" ;;
  *) ! grep -q '[0-9] evicted' facts || fail "$format: evicted pages" ;;
  esac
  restore again.ckpt --to raw -o again.raw 2>/dev/null
  restore evicted.ckpt --to raw -o evicted.raw 2>/dev/null
  cmp again.raw evicted.raw || fail "$format: another memory"
done
python3 - <<'P'
import struct
data, raw = open("evicted.elf", "rb").read(), open("plain.raw", "rb").read()
offset, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
pages = {}
for place in range(offset, offset + 56 * count, 56):
    kind, _, at, _, address, size, _, _ = struct.unpack_from("<IIQQQQQQ", data, place)
    if kind == 1:
        assert at % 4096 == address % 4096 == size % 4096 == 0
        for page in range(size // 4096):
            pages[address // 4096 + page] = data[at + page * 4096:at + page * 4096 + 4096]
left = {3, *range(100, 164), *range(600, 607)}
assert set(pages) == set(range(700)) - left, "the segments are not the pages that are known"
assert all(contents == raw[pfn * 4096:pfn * 4096 + 4096] for pfn, contents in pages.items())
P

if module $python kdumpfile; then
  cat >read-kdump.py <<'P'
import sys
import kdumpfile
dump, raw, left = kdumpfile.kdumpfile(sys.argv[1]), open(sys.argv[2], "rb").read(), eval(sys.argv[3])
# In an ELF file it takes the page before a segment for one of zeros: there the pages left out are not asked for.
for pfn in range(len(raw) // 4096):
    if pfn in left and sys.argv[1].endswith(".elf"):
        continue
    try:
        page = dump.read(kdumpfile.KDUMP_MACHPHYSADDR, pfn * 4096, 4096)
    except kdumpfile.exceptions.NoDataException:
        page = None
    expected = None if pfn in left else raw[pfn * 4096:pfn * 4096 + 4096]
    if page != expected:
        sys.exit(f"{sys.argv[1]}: page {pfn} is another one")
P
  for dump in plain.kdump plain-none.kdump plain-zstd.kdump plain.elf; do
    "$python" read-kdump.py $dump plain.raw 'set()' || fail "libkdumpfile reads something else"
  done
  # The machine is known without a Linux in it too.
  "$python" -c 'import kdumpfile; assert kdumpfile.kdumpfile("plain.kdump").attr["arch.name"] == "x86_64"' ||
    fail "libkdumpfile does not know the machine of plain.kdump"
  for dump in evicted.kdump evicted.elf; do
    "$python" read-kdump.py $dump plain.raw '{3, *range(100, 164), *range(600, 607)}' ||
      fail "libkdumpfile finds other pages left out"
  done
fi

if module python3 volatility3; then
  python3 - <<'P' || fail "Volatility reads something else"
import pathlib
from volatility3.framework import contexts, exceptions
from volatility3.framework.layers import elf, lime, physical
raw, left = open("plain.raw", "rb").read(), {3, *range(100, 164), *range(600, 607)}
for name, layer in ("elf", elf.Elf64Layer), ("lime", lime.LimeLayer):
    context = contexts.Context()
    context.config["file.location"] = pathlib.Path(f"evicted.{name}").resolve().as_uri()
    context.add_layer(physical.FileLayer(context, "file", "file"))
    context.config["dump.base_layer"] = "file"
    context.add_layer(layer(context, "dump", "dump"))
    for pfn in range(700):
        try:
            page = context.layers["dump"].read(pfn * 4096, 4096)
        except exceptions.InvalidAddressException:
            page = None
        assert page == (None if pfn in left else raw[pfn * 4096:pfn * 4096 + 4096]), (name, pfn)
P
fi

# More runs than a program header count can tell.
python3 - <<'P'
import random
random = random.Random(9)
with open("many.raw", "wb") as raw, open("many.list", "w") as listed:
    for pfn in range(140000):
        raw.write(random.randbytes(8) + bytes(4088) if pfn % 64 == 0 else bytes(4096))
        if pfn % 2:
            print(pfn, file=listed)
P
capture --format raw many.raw --evict-list many.list -o many.ckpt
restore many.ckpt --to elf -o many.elf 2>/dev/null
[[ $(od -An -tu2 -j56 -N2 many.elf | tr -d ' ') == 65535 ]] || fail "the header counts its segments itself"
capture many.elf -o again.ckpt
restore again.ckpt --to raw -o again.raw 2>/dev/null
restore many.ckpt --to raw -o many.raw 2>/dev/null
cmp <(head -c $((139999 * 4096)) many.raw) again.raw || fail "many runs"
if has readelf; then
  [[ $(readelf -lW many.elf | grep -c ' LOAD ') == 70000 ]] || fail "readelf counts other segments"
fi
rm -f many.*

# Registers of real saves: gdb shows what the records say; a dump's notes go out as they came in.
zstd -dc --long=30 "$root/Fixtures/xen-64.tar.zst" | tar -x -C "$work"
for guest in pv pvh; do
  capture "$guest-64/save-1" -o guest.ckpt
  restore guest.ckpt --to elf -o guest.elf 2>/dev/null
  ckpt-inspect vcpu guest.ckpt >state
  rip=$(grep -om1 'rip [0-9a-f]*' state | cut -d' ' -f2)
  rsp=$(grep -om1 'rsp [0-9a-f]*' state | cut -d' ' -f2)
  if has gdb; then
    gdb -batch -nx -ex 'info registers rip rsp' -c guest.elf >registers 2>&1
    [[ $(grep -cE "^(rip +0x$rip|rsp +0x$rsp) " registers) == 2 ]] || fail "gdb shows other registers of $guest: $(cat registers)"
  fi
  capture guest.elf -o again.ckpt
  ckpt-inspect vcpu again.ckpt >state
  grep -q "rip $rip" state || fail "$guest: registers are lost"
  restore again.ckpt --to elf -o again.elf 2>/dev/null
  cmp guest.elf again.elf || fail "$guest: another dump of the same moment"
  expect 2 'was not captured from a Xen stream' ckpt-restore -q again.ckpt --to xl -o no.xl
done

# Damaged dumps: cut anywhere, or with any bit turned, they are captured or refused, soon and with a reason; what is
# captured of one that is incomplete is a sound image.
SEED=${SEED:-$RANDOM} python3 - "$root/Tests/Fuzz/Corpus" <<'P'
import os, random, subprocess, sys
seed = int(os.environ["SEED"])
print(f"SEED={seed}", flush=True)
rng = random.Random(seed)
refused = 0


def attempt(what, data, pipe):
    global refused
    with open("damaged", "wb") as file:
        file.write(data)
    run = subprocess.run(["ckpt-capture", "-q", "-" if pipe else "damaged", "-o", "out.ckpt", "--force", "--no-sync"],
                         stdin=open("damaged", "rb"), capture_output=True, timeout=60)
    if run.returncode not in (0, 1, 2) or run.returncode and b"error: " not in run.stderr and b"warning: " not in run.stderr:
        sys.exit(f"{what}: status {run.returncode}: {run.stderr[-300:]}")
    if os.path.exists("out.ckpt"):
        subprocess.run(["ckpt-verify", "-q", "out.ckpt"], check=True)
        os.unlink("out.ckpt")
    refused += run.returncode != 0


for kind in "elf", "lime", "kdump":
    for name in sorted(os.listdir(f"{sys.argv[1]}/{kind}")):
        with open(f"{sys.argv[1]}/{kind}/{name}", "rb") as file:
            sound = file.read()
        heads = range(min(len(sound), 400))
        for cut in rng.sample(list(heads), 6) + rng.sample(range(len(sound)), 6):
            attempt(f"{kind}/{name} cut at {cut}", sound[:cut], rng.random() < 0.5)
        for _ in range(12):
            data = bytearray(sound)
            place = rng.choice([rng.choice(heads), rng.randrange(len(data))])
            for at in range(place, min(len(data), place + rng.choice([1, 1, 4, 8]))):
                data[at] = rng.choice([0, 0xFF, data[at] ^ 1 << rng.randrange(8)])
            attempt(f"{kind}/{name} changed at {place}", bytes(data), rng.random() < 0.5)
print(f"{refused} damaged dumps refused, or told to be incomplete")
if refused < 50:
    sys.exit("hardly any damage is found")
P

# The number of pages stands in two places of a kdump file. Libraries that believe one of them do not see files in
# which they differ.
python3 - plain.kdump >lying.kdump <<'P'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[440:444] = (0x7FFFFFFF).to_bytes(4, "little")
sys.stdout.buffer.write(data)
P
expect 1 'kdump sub-header: pages: found 2147483647' ckpt-capture lying.kdump -o lying.ckpt

# A real Linux guest: QEMU's dump and the plain memory of the same moment.
status=0
"$root/Tests/Guests/make-guests" get 6.1 guest >message 2>&1 || status=$?
if [[ $status == 77 ]]; then
  note "no Linux guest: $(tail -1 message): makedumpfile, crash and drgn are not tried"
  exit 0
fi
[[ $status == 0 ]] || fail "make-guests: $(tail -3 message)"
capture guest/memory.elf -o qemu.ckpt
capture --format raw guest/memory.raw -o raw.ckpt
restore qemu.ckpt --to raw -o qemu.raw 2>/dev/null
cmp -n "$(stat -c %s guest/memory.raw)" qemu.raw guest/memory.raw || fail "QEMU's dump is not the memory of the same moment"
rip=$(grep -om1 'RIP=[0-9a-f]*' guest/registers | cut -d= -f2)
ckpt-inspect vcpu qemu.ckpt >state
grep -q "rip $rip" state || fail "other registers than QEMU's"
cr3=$(grep -om1 'CR3=[0-9a-f]*' guest/registers | cut -d= -f2)
grep -q "cr3 $cr3" state || fail "another CR3 than QEMU's"
# The plain memory has no note: it is found.
for image in qemu raw; do
  restore $image.ckpt --to elf -o $image.elf
  restore $image.ckpt --to kdump -o $image.kdump 2>$image-kdump.message
done
# Notes are told apart by whose they are; memory of no stated architecture is of no other guest.
ckpt-inspect info qemu.ckpt >facts
for note in CORE QEMU VMCOREINFO; do
  grep -q "record  .* $note note [0-9]" facts || fail "info does not name the $note note"
done
ckpt-diff raw.ckpt qemu.ckpt >facts 2>message || [[ $? == 1 ]] || fail "ckpt-diff: $(cat message)"
grep -q 'dumpNote QEMU note 0, dumpNote VMCOREINFO note 0' facts || fail "ckpt-diff does not name the notes: $(cat facts)"
[[ ! -s message ]] || fail "plain memory and a dump of the same guest: $(cat message)"
release=$(grep -aom1 'OSRELEASE=[[:graph:]]*' qemu.elf | cut -d= -f2)
if has crash; then
  for dump in qemu.elf qemu.kdump raw.kdump; do
    [[ $(crash --osrelease $dump) == "$release" ]] || fail "crash does not recognise $dump: $(crash --osrelease $dump)"
  done
fi
# With the kernel's debug symbols crash says of each dump what it says of QEMU's: also where free pages and clean cache
# were left out. It counts as many free pages as there are of that class.
symbols=/usr/lib/debug/boot/vmlinux-$release
if [[ ! -e $symbols ]]; then
  note "no $symbols (Debian's linux-image-$release-dbg): crash looks at no tasks"
elif has crash; then
  printf '%s\n' sys ps 'kmem -i' 'kmem -f' bt log files quit >commands
  tasks() { crash -s -i commands "$symbols" "$1" | grep -v ' DUMPFILE: '; }
  capture guest/memory.elf --evict cache -o spared.ckpt
  restore spared.ckpt --to elf -o spared.elf 2>/dev/null
  restore spared.ckpt --to kdump -o spared.kdump 2>/dev/null
  tasks guest/memory.elf >said
  grep -q swapper said || fail "crash finds no task in QEMU's dump: $(head said)"
  free=$(ckpt-inspect guest --json qemu.ckpt | jq '.classes[] | select(.name == "free").pages')
  grep -qE "^ +FREE +$free " said || fail "crash counts other free pages than $free: $(grep FREE said)"
  # Its lists of free blocks, one for each zone, order and use: AREA SIZE ADDRESS BLOCKS PAGES.
  awk '$2 ~ /^[0-9]+k$/ && NF == 5 { count[$1] += $4 } END { for (order = 0; order in count; order++) print count[order] }' \
    said >blocks
  ckpt-inspect guest --json qemu.ckpt | jq '.freeBlocks[]' | diff blocks - >differs ||
    fail "crash counts other blocks of free pages: $(cat differs)"
  for dump in qemu.elf qemu.kdump spared.elf spared.kdump; do
    tasks $dump | diff said - >differs || fail "crash says of $dump something else: $(head differs)"
  done
fi
if module $python drgn; then
  for dump in qemu.elf raw.elf qemu.kdump raw.kdump; do
    "$python" - $dump guest/memory.raw <<'P' || fail "drgn reads something else"
import sys
import drgn
program, raw = drgn.Program(), open(sys.argv[2], "rb").read()
program.set_core_dump(sys.argv[1])
assert program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL
assert program.platform.arch == drgn.Architecture.X86_64
for at in range(0, len(raw), 4096 * 16):
    assert program.read(at, 4096 * 16, physical=True) == raw[at:at + 4096 * 16], hex(at)
P
  done
fi
if module $python kdumpfile; then
  for dump in qemu.kdump raw.kdump; do
    "$python" read-kdump.py $dump guest/memory.raw 'set()' || fail "libkdumpfile reads something else"
    "$python" - $dump "$rip" "$release" guest/console.log <<'P' || fail "libkdumpfile does not know the machine"
import sys
import kdumpfile
name, rip, release, console = sys.argv[1:]
attributes = kdumpfile.kdumpfile(name).attr
assert attributes["arch.name"] == "x86_64"
assert attributes["linux.uts.release"] == release
build = attributes["linux.uts.version"]
assert build.startswith("#1 SMP") and build in open(console, errors="replace").read(), build
# Plain memory has no registers.
if name == "qemu.kdump":
    assert attributes["cpu.0.reg.rip"] == int(rip, 16), hex(attributes["cpu.0.reg.rip"])
P
  done
fi
if has makedumpfile; then
  for dump in qemu.elf raw.elf qemu.kdump raw.kdump; do
    makedumpfile --dump-dmesg $dump log-$dump >/dev/null 2>&1 || fail "makedumpfile --dump-dmesg $dump"
    grep -q "Linux version $release" log-$dump || fail "makedumpfile finds another log in $dump"
  done
  # QEMU's dump has firmware behind the memory that the kernel knows.
  grep -qE 'left out beyond the memory that the kernel describes: [1-9][0-9]* page' qemu-kdump.message ||
    fail "nothing is said of pages that the kernel does not describe: $(cat qemu-kdump.message)"
  for level in 0 31; do
    rm -f theirs.kdump
    makedumpfile -c -d $level qemu.kdump theirs.kdump >message 2>&1 || fail "makedumpfile -d $level of ours: $(tail -2 message)"
    restore qemu.ckpt --to kdump --dump-level $level -o ours.kdump 2>/dev/null
    capture theirs.kdump -o theirs.ckpt
    capture ours.kdump -o ours.ckpt
    same_memory theirs.ckpt ours.ckpt
  done
  # What the level leaves out is told apart from what the image does not have.
  restore raw.ckpt --to kdump --dump-level 31 --json -o ours.kdump >report.json
  restore raw.ckpt --to kdump --dump-level 31 -o ours.kdump 2>message
  excluded=$(python3 -c 'import json; print(json.load(open("report.json"))["leftOut"]["byDumpLevel"])')
  ((excluded > 1000)) || fail "--dump-level 31 leaves out $excluded pages"
  [[ $(cat message) == "ckpt-restore: left out by --dump-level 31: $excluded pages" ]] || fail "--dump-level: $(cat message)"
  # What it leaves out is what --dump-level leaves out, page by page; and what it wrote is captured.
  for level in 1 16 31; do
    rm -f theirs.kdump
    makedumpfile -c -d $level raw.elf theirs.kdump >/dev/null 2>&1 || fail "makedumpfile -d $level"
    restore raw.ckpt --to kdump --dump-level $level -o ours.kdump 2>/dev/null
    capture theirs.kdump -o theirs.ckpt
    capture ours.kdump -o ours.ckpt
    same_memory theirs.ckpt ours.ckpt
  done
  for codec in -l -p -z; do
    rm -f theirs.kdump
    if makedumpfile $codec -d 0 raw.elf theirs.kdump >message 2>&1; then
      capture theirs.kdump -o theirs.ckpt
      same_memory theirs.ckpt raw.ckpt
    else
      note "makedumpfile has no $codec: not tried"
    fi
  done
fi
echo "dumps of $release go in and out"
