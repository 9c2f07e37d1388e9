#!/usr/bin/env bash
# Xen itself. What was captured from files and exported is restored by xl restore, and the guest goes on and finds its
# memory as it filled it: the base and the last increment of checkpointed streams of a PV and a PVH guest, and their
# saves by way of a merged chain. Then live captures of working guests, each equal to Xen's own save of the same pause;
# captures that are killed; guests that come back; guests squeezed for a capture, which get their memory back whatever
# ends it; free pages left out, of guests that take and free memory all the
# time. On Debian's Xen, and, for PV guests with log-dirty, on one with shadow paging.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

# job FOLDER OUT [OPTION...]: the test ends where Xen cannot be run at all.
job() {
  local status=0
  "$root/Tests/Xen/run-job" "$@" >"$2.log" 2>&1 || status=$?
  [[ $status != 77 ]] || tail -n 1 "$2.log"
  return $status
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
job job exports --timeout 400 || status=$?
[[ $status != 77 ]] || exit 77
grep RESULT exports.log || true
[[ $status == 0 ]] || fail "status $status: $(tail -5 exports.log)"
[[ $(grep -c 'RESULT.*runs' exports.log) == 6 ]] || fail "not all six were restored"

# Two machines at once.
failed=0
live() { job "$root/Tests/Xen/live" "$@" --timeout 1800; }
live debian --env PARTS='oracle:pvh:10 restores:pvh kills:pvh trouble:pvh oracle:pv:2 squeeze:pvh:cache:1 evict:pvh:2:1 evict:pv:1:1' &
debian=$!
live shadow --xen shadow --env PARTS='oracle:pv:5 foreign:pv restores:pv evict:pv:2:2 squeeze:pv:anon:2' || failed=$?
# Without that hypervisor everything else is tested; the reason was printed.
[[ $failed != 77 ]] || failed=0
job "$root/Tests/Xen/restore-live" restore-live --timeout 600 --env TYPES=pvh || failed=$?
job "$root/Tests/Xen/memory-only" memory-only --timeout 600 --env TYPES=pv || failed=$?
wait $debian || failed=$?
for log in debian.log shadow.log restore-live.log memory-only.log; do
  [[ ! -e $log ]] || grep -e '^==' -e '^ok' -e '^FAILED' "$log" || true
done
[[ $failed == 0 ]] || {
  grep -A 25 '^FAILED' debian.log shadow.log restore-live.log memory-only.log || true
  tail -n 30 debian.log shadow.log restore-live.log memory-only.log
  fail "live captures: status $failed"
}

# Makedumpfile judges the page classes of these guests by Xen's own save of the pause that an image was taken in, and
# what was left out of the image are the pages that it takes for free, page by page; clean page cache is on their disks.
for guest in debian/evict-pvh debian/evict-pv shadow/evict-pv; do
  [[ -d ${guest%/*} ]] || continue
  ckpt-restore -q $guest-oracle.ckpt --to elf -o oracle.elf --force
  ckpt-restore -q $guest-oracle.ckpt --to raw -o oracle.raw --force
  ckpt-inspect map --by class --json $guest-oracle.ckpt >classes
  gzip -dc $guest.disk.gz >disk
  rm -f ours.* theirs.*
  for level in 1 2 4 8 16 31; do
    makedumpfile -c -d $level oracle.elf theirs.$level >message 2>&1 || fail "$guest: makedumpfile: $(tail -n 3 message)"
    ckpt-restore -q --no-sync --to kdump --dump-level $level $guest-oracle.ckpt -o ours.$level 2>/dev/null
  done
  echo "== ${guest/\// }"
  python3 "$root/Tests/Oracle/compare-page-classes.py" classes ours theirs oracle.raw disk || fail "$guest"
  evicted $guest.ckpt >left-out
  excluded theirs.16 free | cmp - left-out || fail "$guest: other pages were left out than those that are free"
  echo "ok $guest: the $(wc -l <left-out) pages that makedumpfile takes for free were left out, and no others"
done
