#!/usr/bin/env bash
# The tools against the reader and the writer beside the specification, which were made from it alone and in
# another language: both read what the other writes, and judge damage alike.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
# Debian's own, which has python3-zstandard.
python=/usr/bin/python3
reader() { "$python" "$root/Spec/read_image.py" "$@"; }

# agree IMAGE: the reader finds nothing, and the same moment as the tools.
agree() {
  reader "$1" --json >reading || fail "the reader: $1: $(cat reading)"
  ckpt-inspect "$1" --json >info
  "$python" - "$1" <<'P' || fail "$1: the moment differs"
import json, sys
reading, info = json.load(open("reading")), json.load(open("info"))["image"]
for key in "checkpointID", "memoryDigest", "stateDigest", "fileID":
    assert reading[key] == info[key], (sys.argv[1], key, reading[key], info[key])
P
}
# same IMAGE: the memory, too, is what the tools restore.
same() {
  agree "$1"
  reader "$1" --flat flat.raw >/dev/null
  ckpt-restore -q "$1" --to raw -o restored.raw --force 2>/dev/null
  cmp flat.raw restored.raw || fail "$1: the memory differs"
  rm flat.raw restored.raw
}

# What the tools write, read by the reader.
zstd -dcq --long=30 "$root/Fixtures/xen-64.tar.zst" | tar x
for guest in pv pvh; do
  ckpt-capture -q $guest-64/save-1 -o $guest-1.ckpt
  ckpt-capture -q $guest-64/save-2 -o $guest-2.ckpt --parent $guest-1.ckpt --codec zlib
  ckpt-capture -q $guest-64/save-3 -o $guest-3.ckpt --parent $guest-2.ckpt --codec none
  ckpt-merge -q $guest-3.ckpt -o $guest-merged.ckpt
  ckpt-merge -q $guest-3.ckpt --onto $guest-1.ckpt -o $guest-span.ckpt
  for image in 3 merged span; do
    agree $guest-$image.ckpt
  done
done
same pv-3.ckpt
same pv-merged.ckpt
reader pv-span.ckpt --structure | grep -q ' header  .*increment' || fail "the structure lacks a header"
rm -r ./*-64 p*.ckpt

# Tiny streams of every kind: live ones with repeated pages, a device model, optional records.
"$root/Fixtures/generate-streams.py" streams
for stream in streams/good-*.xl streams/repeat-*.xl; do
  ckpt-capture -q "$stream" -o image.ckpt --force
  agree image.ckpt
  ckpt-merge -q image.ckpt -o merged.ckpt --force
  agree merged.ckpt
done

memory a.raw 60 1
memory b.raw 60 2
ckpt-capture -q --format raw a.raw -o base.ckpt --codec zlib
ckpt-capture -q --format raw b.raw --parent base.ckpt -o tip.ckpt
same tip.ckpt

# What the writer writes, read by the tools.
mkdir written
"$root/Spec/write_image.py" written
ckpt-verify -q written/next.ckpt
agree written/next.ckpt

# Damage, judged by both: in what the tools wrote, and under checksums that are right.
"$python" "$root/Tests/Oracle/compare-readers.py" damage base.ckpt tip.ckpt
mkdir resealed
(cd resealed && "$python" "$root/Tests/Oracle/compare-readers.py" resealed)
