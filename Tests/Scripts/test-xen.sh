#!/usr/bin/env bash
# Xen itself: what was captured and exported is restored by xl restore, and the guest goes on and finds its
# memory as it filled it. The base and the last increment of checkpointed streams of a PV and a PVH guest,
# and their saves by way of a merged chain.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

testbed=$root/Tests/Xen/testbed/xen-testbed
for program in qemu-system-x86_64 cpio depmod gcc; do
  command -v "$program" >/dev/null || {
    echo "skipped: $program is not here"
    exit 77
  }
done
"$testbed" build >build.log 2>&1 || {
  echo "skipped: the testbed cannot be built here: $(tail -1 build.log)"
  exit 77
}

cp -r "$root/Tests/Xen/restore" job
zstd -dc --long=30 "$root/Fixtures/checkpointed-64.tar.zst" | tar -x
zstd -dc --long=30 "$root/Fixtures/xen-64.tar.zst" | tar -x
# give IMAGE NAME [OPTION...]: as a save file for the job
give() { ckpt-restore -q "$1" --to xl -o - "${@:3}" | gzip -1 >"job/$2.xl.gz"; }
for guest in pv pvh; do
  ckpt-capture -q $guest-64/save-1 -o $guest-1.ckpt
  ckpt-capture -q $guest-64/save-3 -o $guest-3.ckpt --parent $guest-1.ckpt
  ckpt-merge -q $guest-3.ckpt -o $guest-merged.ckpt
  give $guest-merged.ckpt $guest-merged
  ckpt-inspect records --record 1 --raw $guest-1.ckpt >$guest.json
  ckpt-capture -q $guest-64/*.stream -o $guest-epoch-%d.ckpt
  give $guest-epoch-0.ckpt $guest-epoch-0 --config $guest.json
  give $guest-epoch-4.ckpt $guest-epoch-4 --config $guest.json
done

status=0
"$testbed" run --job job --out out --timeout 400 >run.log 2>&1 || status=$?
grep RESULT out/testbed/job.log || true
[[ $status == 0 ]] || fail "status $status: $(tail -5 out/testbed/job.log run.log)"
[[ $(grep -c 'RESULT.*runs' out/testbed/job.log) == 6 ]] || fail "not all six were restored"
