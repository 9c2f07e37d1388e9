#!/bin/bash
# trouble pv|pvh: a disk that fills, a pipe that breaks, a guest that does not suspend: a clear message, and the guest
# goes on.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 name=$1
have "$name" "$type"

# fails PATTERN COMMAND...: with status 2, and says so.
fails() {
  local status=0 pattern=$1
  shift
  "$@" >/tmp/said 2>&1 || status=$?
  cat /tmp/said
  [ "$status" = 2 ] && grep -qi -- "$pattern" /tmp/said
}
mkdir -p /tmp/full
mount -t tmpfs -o size=1m tmpfs /tmp/full
check "a full disk is an error" fails 'no space' ckpt-capture "xen:$name" -o /tmp/full/image.ckpt
check "there is no image" test ! -e /tmp/full/image.ckpt
unharmed "$name" "$known"
umount /tmp/full

# Room for the base, and for little more: the series ends, the base stays.
check "a capture" ckpt-capture -q "xen:$name" -o /tmp/base.ckpt
mount -t tmpfs -o size=$(($(stat -c %s /tmp/base.ckpt) / 1024 + 2000))k tmpfs /tmp/full
rm -f /tmp/base.ckpt
tell "$name" 'dirty 1000'
check "a disk that fills in a series is an error" fails 'no space' \
  ckpt-capture "xen:$name" -o /tmp/full/%d.ckpt --every 1 --count 100
tell "$name" 'dirty 200'
check "the base is sound" ckpt-verify -q /tmp/full/0.ckpt
unharmed "$name" "$known"
umount /tmp/full

ckpt-capture "xen:$name" -o - 2>/tmp/said | head -c 1000 >/dev/null
check "a pipe that breaks ends it" test "${PIPESTATUS[0]}" != 0
cat /tmp/said
unharmed "$name" "$known"

# A guest that somebody has paused cannot answer; what it was asked is withdrawn, or it would stand still later on.
xl pause "$name"
check "a guest that stands still is an error" fails 'paused' ckpt-capture "xen:$name" -o /tmp/no.ckpt
check "it is still paused" grep -q '^paused' <<<"$(domain-state "$(xl domid "$name")")"
xl unpause "$name"
unharmed "$name" "$known"
hardly_runs "$name"
check "a guest that answers late is captured" ckpt-capture -q "xen:$name" --pause -o /tmp/late.ckpt
runs_again "$name"
unharmed "$name" "$known"
finish
