#!/bin/bash
# squeeze pv|pvh WORKLOAD [SEED]: a guest of MEMORY MiB that does WORKLOAD (see words_of) gives up memory for its capture,
# and gets it back, whatever ends the capture. Its image is restored, and the guest goes on with all of its memory.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 workload=$2 seed=${3:-1} name=$1-$2 MEMORY=256
disk "$name" "$MEMORY"
start "$name" "$type" "$(words_of "$workload") wl.seed=$seed" || {
  bad "$name does not start: $(tail -n 3 "$(console "$name")")"
  finish
}
known=$(domains)
before=$(pages "$name")
image=/tmp/$name.ckpt

target() { xenstore-read "/local/domain/$(xl domid "$name")/memory/target"; }
has_pages() { [ "$(pages "$name")" -ge "$1" ]; }
is_lowered() { [ "$(target)" -lt $((MEMORY * 1024)) ]; }
# all_back WHEN: the guest has its target, and soon all its memory; nothing is kept for it.
all_back() {
  check "$1: its target is back" test "$(target)" = $((MEMORY * 1024))
  check "$1: it has all its memory" until_true 20 has_pages "$before"
  check "$1: nothing is kept for it" test "$(xl claims | awk -v name="$name" '$1 == name { print $NF }')" = 0
}
capture=(ckpt-capture "xen:$name" --squeeze auto -o "$image" --force)
# squeezing: a capture that has begun to squeeze, in the background: $worker.
squeezing() {
  "${capture[@]}" >/tmp/said 2>&1 &
  worker=$!
  until_true 60 is_lowered || bad "it is not squeezed: $(cat /tmp/said)"
}
# ended_by SIGNAL: one is ended so.
ended_by() {
  squeezing
  kill "-$1" "$worker"
  wait "$worker" 2>/dev/null
  until_true 30 quiet || bad "not put right after SIG$1: $(cat /run/vmckpt/*)"
  all_back "after SIG$1"
}
quiet() { [ -z "$(find /run/vmckpt -name '*.journal' 2>/dev/null)" ]; }

check "$name: a capture" "${capture[@]}"
ckpt-inspect info "$image" | grep -E 'squeeze|evict|pause|unpopulated'
all_back "after a capture"
unharmed "$name" "$known"

ended_by KILL
ended_by TERM
# Nobody is left to give the memory back: then --recover does.
squeezing
guards=$(processes guard-of-domain)
check "there is a guard" test -n "$guards"
for process in $guards "$worker"; do kill -KILL "$process"; done
wait "$worker" 2>/dev/null
check "the target stays lowered" is_lowered
check "--recover" ckpt-capture --recover
all_back "after --recover"
unharmed "$name" "$known"
mkdir -p /tmp/full
mount -t tmpfs -o size=1m tmpfs /tmp/full
status=0
ckpt-capture "xen:$name" --squeeze auto -o /tmp/full/image.ckpt >/tmp/said 2>&1 || status=$?
check "a full disk is an error" test $status = 2
umount /tmp/full
all_back "after a full disk"
unharmed "$name" "$known"

xl destroy "$name"
: >"$(console "$name")"
check "it is restored" ckpt-restore "$image" --to xen: --disks-restored
check "it beats" until_true 60 ticked "$name" 1
all_back "restored"
unharmed "$name" "$known"
# With anon hardly more than twice as much is left to it.
tell "$name" "pattern $((MEMORY / 16))"
check "it can use its memory" intact "$name"
xl destroy "$name"
losetup -d "$DISK"
rm -f "/tmp/$name.disk" "$image"
finish
