#!/usr/bin/env bash
# The real saves of Fixtures: chains of a PV and a PVH guest are captured from files and pipes, merged,
# verified and restored; every export is the file that Xen wrote, and Xen's verifier accepts it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; exit 1; }
state() { python3 "$here/../Oracle/flatten-stream.py" --digest "$@"; }

zstd -dc --long=30 "$here/../../Fixtures/xen-64.tar.zst" | tar -x -C "$work"
cd "$work"
for guest in pv pvh; do
  "$BIN/ckpt-capture" -q "$guest-64/save-1" -o "$guest-1.ckpt"
  # The second comes through a pipe and a parent through standard input is no hindrance.
  "$BIN/ckpt-capture" -q - -o "$guest-2.ckpt" --parent "$guest-1.ckpt" <"$guest-64/save-2"
  "$BIN/ckpt-capture" -q "$guest-64/save-3" -o "$guest-3.ckpt" --parent "$guest-2.ckpt"
  "$BIN/ckpt-verify" -q "$guest-3.ckpt" || fail "$guest chain"
  "$BIN/ckpt-merge" -q --verify "$guest-3.ckpt" -o "$guest-merged.ckpt"
  "$BIN/ckpt-merge" -q "$guest-3.ckpt" --onto "$guest-1.ckpt" -o "$guest-span.ckpt"
  "$BIN/ckpt-merge" -q "$guest-3.ckpt" --codec zlib -o "$guest-zlib.ckpt"
  for image in 3 merged span zlib; do
    "$BIN/ckpt-restore" "$guest-$image.ckpt" --to xl -o out.xl --force
    cmp out.xl "$guest-64/save-3" || fail "$guest-$image"
  done
  for format in xl libxl libxc; do
    "$BIN/ckpt-restore" -q "$guest-merged.ckpt" --to $format -o out --force
    status=0
    "$here/../Oracle/xen-verifier" out $format >message 2>&1 || status=$?
    case $status in
    0) ;;
    77) echo "note: Xen's verifier is not available: $(tail -1 message)" ;;
    *) fail "Xen's verifier refuses $guest as $format: $(tail -1 message)" ;;
    esac
  done
  # What the guest is left with, by an applier that shares no code with the tools.
  "$BIN/ckpt-restore" -q "$guest-2.ckpt" --to xl -o out.xl --force
  [ "$(state out.xl)" = "$(state "$guest-64/save-2")" ] || fail "$guest: state differs"
  # Plain memory holds each page at its place.
  "$BIN/ckpt-restore" -q "$guest-3.ckpt" --to raw -o out.raw 2>/dev/null
  "$BIN/ckpt-restore" -q "$guest-merged.ckpt" --to raw -o - 2>/dev/null | cmp - out.raw || fail "$guest raw"
  python3 - "$guest-64/save-3" out.raw "$here/../Oracle" <<'P' || fail "$guest: raw memory differs"
import hashlib, subprocess, sys
save, raw, oracle = sys.argv[1:]
lines = subprocess.run([sys.executable, oracle + "/flatten-stream.py", save], capture_output=True, text=True, check=True).stdout.split("\n")
memory = open(raw, "rb")
checked = 0
for line in lines:
    parts = line.split()
    if len(parts) == 3:
        memory.seek(int(parts[0], 16) * 4096)
        assert hashlib.sha256(memory.read(4096)).hexdigest() == parts[2], parts[0]
        checked += 1
assert checked > 16000, checked
P
  rm out.raw out out.xl
  # The part of an increment that is not pages must stay small.
  size=$(stat -c %s "$guest-2.ckpt")
  [ "$size" -lt 1300000 ] || fail "$guest: an increment of $size bytes"
done
