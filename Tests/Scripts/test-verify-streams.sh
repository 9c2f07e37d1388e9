#!/usr/bin/env bash
# ckpt-verify of Xen's streams: real ones are sound, whole and exported; each defect that a restore on Xen
# fails on is found (Xen 4.17's xl restore refused every one of these files).
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

zstd -dc --long=30 "$root/Fixtures/xen-64.tar.zst" | tar -x
zstd -dc --long=30 "$root/Fixtures/checkpointed-64.tar.zst" | tar -x
for file in ./*-64/*; do expect 0 'sound$' ckpt-verify "$file"; done
expect 0 '^libxl stream, 5 moments, 60 records, 18747 pages' ckpt-verify - <pv-64/remus.stream
zstd -q -c pvh-64/epochs.stream >epochs.zst
expect 0 '^libxc stream, 5 moments, .*: sound' ckpt-verify epochs.zst
expect 0 '^libxc stream, 5 moments, .*: sound' ckpt-verify - <epochs.zst
expect 0 '"moments" : 5' ckpt-verify --json pvh-64/epochs.stream
for guest in pv pvh; do
  ckpt-capture -q $guest-64/*.stream -o $guest-%d.ckpt
  for format in libxc libxl; do
    ckpt-restore -q $guest-4.ckpt --to $format -o export --force
    expect 0 "^$format stream, 1 moment, .*: sound" ckpt-verify export
  done
done

found=0
for guest in pv pvh; do
  for defect in $("$root/Tests/Oracle/spoil-save.py" $guest-64/save-1); do
    "$root/Tests/Oracle/spoil-save.py" $guest-64/save-1 "$defect" spoiled
    expect 1 '^spoiled: byte [0-9]+: libxc stream: ' ckpt-verify spoiled
    found=$((found + 1))
  done
done
[[ $found == 16 ]] || fail "$found defects"
head -c 50000000 pv-64/remus.stream >broken.stream
expect 1 '^broken.stream: byte [0-9]+: PAGE_DATA: the input ends' ckpt-verify broken.stream
expect 1 '"sound" : false' ckpt-verify --json broken.stream
