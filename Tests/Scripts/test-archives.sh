#!/usr/bin/env bash
# Compressed sources and members of archives, made with the usual programs: the memory is that of the
# plain file; damage and whatever is ambiguous are refused with the file's name. SEED=… repeats a run.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
SEED=${SEED:-$RANDOM}
echo "SEED=$SEED"

for program in gzip xz zstd lz4 bzip2 tar cpio 7z; do
  command -v $program >/dev/null || { echo "$program is missing" && exit 77; }
done

# captured NAME [OPTION...]: the memory digest of a capture.
captured() {
  ckpt-capture --json --force -o image "$@" 2>message |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["memoryDigest"])' ||
    fail "$*: $(head -3 message)"
}

same() {
  local digest=$1
  shift
  [[ $(captured "$@") == "$digest" ]] || fail "$*: another memory: $(head -3 message)"
}

# container IMAGE: what it was taken out of.
container() {
  ckpt-inspect info --json image |
    python3 -c 'import json, sys; print(next((p.get("source.container", "") for p in json.load(sys.stdin)["provenance"]), ""))'
}

"$root/Fixtures/generate-streams.py" in
cp in/chain-pv-0.xl save
cp in/chain-pv-1.xl other
memory memory.raw 64 "$SEED"
echo notes >notes.txt
save=$(captured save)
raw=$(captured memory.raw --format raw)

echo "-- compressed"
declare -A expander=([gz]=gzip [xz]=xz [zst]=zstd [lz4]=lz4 [bz2]=bzip2)
for ending in gz xz zst lz4 bz2; do
  ${expander[$ending]} -qc save >"save.$ending"
  cp "save.$ending" unnamed
  same "$save" "save.$ending"
  same "$save" unnamed
  same "$save" unnamed --format xl
  same "$save" - <unnamed
  same "$save" - < <(cat unnamed)
  ${expander[$ending]} -qc memory.raw >"memory.raw.$ending"
  same "$raw" "memory.raw.$ending" --format raw
  # Two parts, one behind the other.
  { head -c 10000 save | ${expander[$ending]} -qc && tail -c +10001 save | ${expander[$ending]} -qc; } >parts
  same "$save" parts
  # Twice, and by two programs.
  ${expander[$ending]} -qc <"save.$ending" >twice
  same "$save" twice
  xz -c <"save.$ending" | same "$save" -
  # Nothing in it.
  ${expander[$ending]} -qc </dev/null >empty
  expect 1 'empty: .*the input is empty' ckpt-capture empty -o no
done
same "$save" save.xz
[[ $(container) == xz ]] || fail "container: $(container)"
ckpt-capture -q --hash-source --force save.xz -o image
[[ $(ckpt-inspect info --json image) == *"$(sha256sum <save | cut -d' ' -f1)"* ]] || fail "the hash is not that of the expanded source"

# A window beyond what zstd takes for granted.
{ cat save && head -c 300M /dev/zero; } | zstd -q -1 --long=30 >long.zst
expect 0 'long.zst: byte [0-9]+: 314572800 bytes behind the end of the xl save file' ckpt-capture long.zst -o long.ckpt

echo "-- plain memory is taken as it is"
# The guest's first page looks like a compressed file, or like an archive.
for ending in gz xz zst lz4 bz2; do
  cat "save.$ending" memory.raw | head -c 262144 >looks
  ckpt-capture -q --force looks --format raw -o image
  ckpt-restore -q image --to raw -o - | cmp - looks || fail "$ending: plain memory was taken for compressed"
  # Expanded once, as the name says, and not again.
  xz -c looks >looks.xz
  ckpt-capture -q --force looks.xz --format raw -o image
  ckpt-restore -q image --to raw -o - | cmp - looks || fail "$ending: plain memory was expanded twice"
done
tar cf - save >looks
truncate -s $((($(stat -c %s looks) + 4095) / 4096 * 4096)) looks
ckpt-capture -q --force looks --format raw -o image
ckpt-restore -q image --to raw -o - | cmp - looks || fail "plain memory was taken for an archive"
cp memory.raw memory.xz
expect 2 'memory.xz: .*name says xz' ckpt-capture memory.xz --format raw -o no

echo "-- archives"
mkdir -p folder/deep
cp save folder/deep/save-1
cp notes.txt folder/notes
ln -s save-1 folder/deep/link
for format in v7 ustar gnu pax oldgnu; do
  tar --format $format -cf "$format.tar" folder
done
(find folder | cpio -o -H newc >newc.cpio && find folder | cpio -o -H odc >odc.cpio && find folder | cpio -o >binary.cpio) 2>cpio.log
python3 - <<'P'
import zipfile
for name, method in ("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED), ("lzma", zipfile.ZIP_LZMA), ("bzip2", zipfile.ZIP_BZIP2):
    with zipfile.ZipFile(name + ".zip", "w", method) as file:
        file.write("folder/notes")
        file.write("folder/deep/save-1")
P
7z a -bd made.7z folder >7z.log
for archive in *.tar *.cpio *.zip *.7z; do
  same "$save" "$archive"
  same "$save" "$archive:folder/deep/save-1"
  same "$save" "$archive:./folder/deep/save-1" --format xl
  [[ $(container) == "${archive##*.} member folder/deep/save-1" ]] || fail "$archive: container $(container)"
  expect 2 "$archive: holds no member missing, but .*folder/notes" ckpt-capture "$archive:missing" -o no
  expect 2 "$archive:folder/notes: .*not in a known format" ckpt-capture "$archive:folder/notes" -o no
  [[ $archive == *.zip ]] ||
    expect 2 "$archive:folder/deep/?: is a folder or a link" ckpt-capture "$archive:folder/deep" -o no
  [[ $archive == *.7z ]] && continue
  same "$save" "/dev/stdin:folder/deep/save-1" <"$archive"
  same "$save" "/dev/stdin:folder/deep/save-1" < <(cat "$archive")
  for ending in gz xz zst lz4 bz2; do
    ${expander[$ending]} -qc "$archive" >"$archive.$ending"
    same "$save" "$archive.$ending"
    same "$save" "$archive.$ending:folder/deep/save-1"
    rm "$archive.$ending"
  done
done
expect 2 'standard input: a 7z archive' ckpt-capture - -o no <made.7z
cp pax.tar unnamed
same "$save" unnamed
tar czf made.tgz folder
same "$save" made.tgz

echo "-- one in another"
gzip -c save >folder/deep/save-1
tar cJf packed.tar.xz folder
same "$save" packed.tar.xz
[[ $(container) == "xz, tar member folder/deep/save-1, gzip" ]] || fail "container: $(container)"
same "$save" packed.tar.xz:folder/deep/save-1
7z a -bd -tzip outer.zip packed.tar.xz >7z.log
same "$save" outer.zip
rm -r folder
cp save deep
for ((level = 0; level < 9; level++)); do gzip -c deep >deeper && mv deeper deep; done
expect 2 'deep: more than 8 containers' ckpt-capture deep -o no
# Plain memory in an archive: the only file, and the one asked for.
tar cf memory.tar memory.raw
same "$raw" memory.tar --format raw
tar cf two.tar memory.raw notes.txt memory.raw.gz
expect 2 'two.tar: several members can be captured; choose one: two.tar:memory.raw, two.tar:notes.txt, two.tar:memory.raw.gz$' \
  ckpt-capture two.tar --format raw -o no
same "$raw" two.tar:memory.raw --format raw
same "$raw" two.tar:memory.raw.gz --format raw
nothing_left no
# A sparse member that ends with a hole.
cp memory.raw sparse.raw
truncate -s +1M sparse.raw
sparse=$(captured sparse.raw --format raw)
for format in gnu pax; do
  tar -S --format $format -cf sparse.tar sparse.raw
  [[ $(stat -c %s sparse.tar) -lt 400000 ]] || fail "the archive is not sparse"
  same "$sparse" sparse.tar --format raw
done

echo "-- which member"
tar cf two.tar save notes.txt other
expect 2 'two.tar: several members can be captured; choose one: two.tar:save, two.tar:other$' ckpt-capture two.tar -o no
nothing_left no
same "$save" two.tar:save
same "$(captured other)" two.tar:other
tar cf twice.tar save && tar rf twice.tar save
expect 2 'twice.tar: holds several members of the name save' ckpt-capture twice.tar:save -o no
tar cf none.tar notes.txt in/bad-libxc-marker.xl
expect 1 'none.tar:in/bad-libxc-marker.xl: byte [0-9]+: ' ckpt-capture none.tar -o no
tar cf none.tar notes.txt
expect 2 'none.tar: holds nothing that can be captured: notes.txt \(is not in a known format' ckpt-capture none.tar -o no
tar cf none.tar -T /dev/null
expect 2 'none.tar: holds no files' ckpt-capture none.tar -o no
expect 1 'save.xz: byte [0-9]+: archive: ' ckpt-capture save.xz:x -o no

echo "-- names with colons"
cp save a:b
same "$save" a:b
tar cf c:d.tar a:b --force-local
same "$save" c:d.tar:a:b
same "$save" "$PWD/c:d.tar:a:b"
cp other c:d.tar:a:b
same "$(captured other)" c:d.tar:a:b
expect 2 'missing.tar:save: cannot open' ckpt-capture missing.tar:save -o no
printf 'ü \tb\n' >$'\n'
cp save $'grün\nsave'
tar cf names.tar $'grün\nsave'
same "$save" names.tar
same "$save" names.tar:$'grün\nsave'

echo "-- encrypted"
for kind in zip 7z; do
  7z a -bd -t$kind -psecret locked.$kind save >7z.log
  expect 2 "locked.$kind:save: is encrypted" ckpt-capture locked.$kind:save -o no
  expect 2 "locked.$kind: .*save \(is encrypted" ckpt-capture locked.$kind -o no
done
7z a -bd -t7z -psecret -mhe=on hidden.7z save >7z.log
expect 1 'hidden.7z: .*ncrypt' ckpt-capture hidden.7z -o no

echo "-- cut"
tar cf plain.tar save
7z a -bd plain.7z save >7z.log
7z a -bd plain.zip save >7z.log
gzip -c plain.tar >made.tar.gz
ckpt-capture -q --force save -o image
ckpt-restore -q image --to raw -o whole.raw 2>/dev/null
cut=0
for name in save.gz save.xz save.zst save.lz4 save.bz2 plain.tar plain.zip plain.7z made.tar.gz; do
  size=$(stat -c %s "$name")
  for bytes in 1 20 100 $((size / 2)) $((size - 100)) $((size - 9)) $((size - 4)) $((size - 1)); do
    head -c "$bytes" "$name" >"cut-$name"
    status=0
    timeout 60 ckpt-capture -q --force "cut-$name" -o cut.ckpt 2>message || status=$?
    if [[ $status == 0 ]]; then
      # Only a tar may lack its end.
      [[ $name == plain.tar || $name == plain.zip ]] || fail "cut-$name at $bytes of $size is taken"
      same "$save" "cut-$name"
    else
      [[ $status == [12] ]] || fail "cut-$name at $bytes: status $status: $(head -3 message)"
      grep -q "cut-$name" message || fail "cut-$name at $bytes: no name in $(head -3 message)"
      # What is missing may lie behind the memory.
      if [[ -e cut.ckpt ]]; then
        grep -q "^ckpt-capture: warning: cut-$name: " message || fail "cut-$name at $bytes: $(head -3 message)"
        ckpt-verify -q cut.ckpt || fail "cut-$name at $bytes: not sound"
        ckpt-restore -q cut.ckpt --to raw -o - 2>/dev/null | cmp - whole.raw || fail "cut-$name at $bytes: other memory"
        rm cut.ckpt
      fi
      unfinished_left cut.ckpt
      cut=$((cut + 1))
    fi
    rm -f cut.ckpt
  done
done
((cut > 50)) || fail "only $cut cuts were refused"
# Bytes behind the end.
for ending in gz xz zst lz4 bz2; do
  { cat "save.$ending" && echo more; } >"long.$ending"
  expect 1 "long.$ending: byte [0-9]+: [a-z0-9]+ data: " ckpt-capture "long.$ending" -o no
done

echo "-- damaged"
python3 - "$SEED" <<'P'
import os, random, subprocess, sys
rng = random.Random(int(sys.argv[1]))
plain = subprocess.run(["ckpt-restore", "-q", "image", "--to", "raw", "-o", "-"], capture_output=True)
def memory():
    out = subprocess.run(["ckpt-inspect", "info", "--json", "flipped.ckpt"], capture_output=True, check=True).stdout
    import json
    return json.loads(out)["image"]["memoryDigest"]
subprocess.run(["ckpt-capture", "-q", "save", "-o", "flipped.ckpt"], check=True)
good = memory()
refused = 0
# Each has a checksum over its contents; a tar without compression has none.
for name in ["save.gz", "save.xz", "save.zst", "save.lz4", "save.bz2", "made.tar.gz", "plain.zip", "plain.7z"]:
    contents = open(name, "rb").read()
    for turn in range(30):
        damaged = bytearray(contents)
        for _ in range(rng.choice([1, 1, 1, 8])):
            place = rng.randrange(len(damaged)) if turn % 2 else rng.choice([rng.randrange(64), -rng.randrange(1, 200)])
            damaged[place] ^= 1 << rng.randrange(8)
        flipped = "flipped-" + name
        open(flipped, "wb").write(damaged)
        if os.path.exists("flipped.ckpt"):
            os.unlink("flipped.ckpt")
        run = subprocess.run(["ckpt-capture", "-q", "--force", flipped, "-o", "flipped.ckpt"], capture_output=True, timeout=60)
        # It may look cut behind the memory: then there is an image, and a warning.
        if (run.returncode == 0 or os.path.exists("flipped.ckpt")) and memory() != good:
            sys.exit(f"FAIL {flipped} (turn {turn}): another memory")
        if run.returncode == 0:
            continue
        if run.returncode in (1, 2) and flipped.encode() in run.stderr:
            refused += 1
        else:
            sys.exit(f"FAIL {flipped} (turn {turn}): status {run.returncode}: {run.stderr[:300]}")
print(refused, "damaged files refused")
if refused < 120:
    sys.exit("FAIL: too few")
P

echo "-- huge declared sizes"
python3 - <<'P'
import struct, tarfile, io
# A tar member of 8 EiB, of which there are some bytes.
info = tarfile.TarInfo("save")
info.size = 2 ** 62
open("huge.tar", "wb").write(info.tobuf(tarfile.GNU_FORMAT) + open("save", "rb").read())
# A zip member that claims 2^60 bytes.
name = b"save"
extra = struct.pack("<HHQQ", 1, 16, 2 ** 60, 2 ** 60)
data = open("save", "rb").read()
local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra))
open("huge.zip", "wb").write(local + name + extra + data)
P
expect 1 'huge.tar: byte [0-9]+: tar archive: ' ckpt-capture huge.tar:save --format raw -o no
expect 1 'huge.tar' ckpt-capture huge.tar -o no
expect 1 'huge.zip: byte [0-9]+: zip archive: ' ckpt-capture huge.zip -o no
# 4 GiB of zeros in 4 MB: a stream like any other, with little memory.
head -c 4G /dev/zero | gzip -1 | gzip -1 >bomb.raw.gz.gz
peak=$( (ulimit -v 3000000 && python3 - <<'P'
import resource, subprocess
subprocess.run(["ckpt-capture", "-q", "bomb.raw.gz.gz", "--format", "raw", "-o", "bomb.ckpt", "--threads", "2"], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
P
) )
((peak < 200)) || fail "4 GiB of zeros took $peak MiB of memory"
echo "memory for 4 GiB of zeros: $peak MiB"

# The window that zstd data may have is memory for each of them: one inside another has less.
memory wide.raw 700 3
zstd -q --long=30 -c <wide.raw >wide.raw.zst
zstd -q -c wide.raw.zst >wide.raw.zst.zst
ckpt-capture -q --format raw wide.raw.zst -o wide.ckpt
expect 1 'zstd data: Frame requires too much memory' ckpt-capture --format raw wide.raw.zst.zst -o wider.ckpt
zstd -q -c <wide.raw | zstd -q -c >wide.raw.zst.zst
ckpt-capture -q --format raw wide.raw.zst.zst -o wider.ckpt
