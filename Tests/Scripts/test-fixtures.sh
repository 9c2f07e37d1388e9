#!/usr/bin/env bash
# The real saves of Fixtures: chains of a PV and a PVH guest are captured from files and pipes, merged,
# verified and restored; every export is the file that Xen wrote, and Xen's verifier accepts it.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
state() { python3 "$root/Tests/Oracle/flatten-stream.py" --digest "$@"; }

zstd -dc --long=30 "$root/Fixtures/xen-64.tar.zst" | tar -x -C "$work"
for guest in pv pvh; do
  ckpt-capture -q "$guest-64/save-1" -o "$guest-1.ckpt"
  # The second comes through a pipe and a parent through standard input is no hindrance.
  ckpt-capture -q - -o "$guest-2.ckpt" --parent "$guest-1.ckpt" <"$guest-64/save-2"
  ckpt-capture -q "$guest-64/save-3" -o "$guest-3.ckpt" --parent "$guest-2.ckpt"
  ckpt-verify -q "$guest-3.ckpt" || fail "$guest chain"
  ckpt-merge -q --verify "$guest-3.ckpt" -o "$guest-merged.ckpt"
  ckpt-merge -q "$guest-3.ckpt" --onto "$guest-1.ckpt" -o "$guest-span.ckpt"
  ckpt-merge -q "$guest-3.ckpt" --codec zlib -o "$guest-zlib.ckpt"
  for image in 3 merged span zlib; do
    ckpt-restore "$guest-$image.ckpt" --to xl -o out.xl --force
    cmp out.xl "$guest-64/save-3" || fail "$guest-$image"
  done
  for format in xl libxl libxc; do
    ckpt-restore -q "$guest-merged.ckpt" --to $format -o out --force
    status=0
    "$root/Tests/Oracle/xen-verifier" out $format >message 2>&1 || status=$?
    case $status in
    0) ;;
    77) echo "note: Xen's verifier is not available: $(tail -1 message)" ;;
    *) fail "Xen's verifier refuses $guest as $format: $(tail -1 message)" ;;
    esac
  done
  # What the guest is left with, by an applier that shares no code with the tools.
  ckpt-restore -q "$guest-2.ckpt" --to xl -o out.xl --force
  [ "$(state out.xl)" = "$(state "$guest-64/save-2")" ] || fail "$guest: state differs"
  # Plain memory holds each page at its place.
  ckpt-restore -q "$guest-3.ckpt" --to raw -o out.raw 2>/dev/null
  ckpt-restore -q "$guest-merged.ckpt" --to raw -o - 2>/dev/null | cmp - out.raw || fail "$guest raw"
  python3 - "$guest-64/save-3" out.raw "$root/Tests/Oracle" <<'P' || fail "$guest: raw memory differs"
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
