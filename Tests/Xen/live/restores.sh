#!/bin/bash
# restores pv|pvh: what "oracle" captured comes back: beside the running guest as a clone, then, when it is gone, itself:
# by ckpt-restore --to xen: and by plain xl restore. Each goes on from the heartbeat of its pause.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 name=$1
have "$name" "$type"
tip=$(find "/tmp/$type" -maxdepth 1 -name '*.ckpt' | sort | tail -n 1)
base=$(find "/tmp/$type" -maxdepth 1 -name '*.ckpt' | sort | head -n 1)

# goes_on NAME IMAGE: a restored guest beats on from where it was captured, with its memory intact.
goes_on() {
  local at first
  at=$(cut -d' ' -f3 "/tmp/$type/oracle/$(ckpt-inspect info "$2" | grep -o 'oracle-[0-9]*' | tail -n 1).tick")
  until_true 60 ticked "$1" 1 || {
    bad "$1: no heartbeat: $(domain-state "$(xl domid "$1")"), $(tail -n 3 "$(console "$1")")"
    return
  }
  first=$(grep -o 'wl: tick [0-9]*' "$(console "$1")" | head -n 1)
  first=${first##* }
  if [ "$first" -ge "$at" ] && [ "$first" -le $((at + 2)) ]; then
    ok "$1: goes on from heartbeat $at with $first"
  else
    bad "$1: goes on with heartbeat $first, its pause was after $at"
  fi
  check "$1: beats" beats "$1"
  check "$1: finds its memory intact" intact "$1"
}

: >"$(console clone)"
check "restore a clone beside it" ckpt-restore "$tip" --to xen: --name clone --clone
goes_on clone "$tip"
check "it has another UUID" test "$(xl list -v | awk '$1 == "clone" || $1 == "'"$name"'" { print $7 }' | sort -u | wc -l)" = 2
xl destroy clone
status=0
ckpt-restore "$tip" --to xen: --name other >/tmp/said 2>&1 || status=$?
check "without --clone it is refused while the guest runs" test $status = 2
cat /tmp/said
unharmed "$name" "$known"

xl destroy "$name"
: >"$(console "$name")"
check "restore its last image" ckpt-restore "$tip" --to xen:
goes_on "$name" "$tip"
unharmed "$name" "$known"

xl destroy "$name"
: >"$(console "$name")"
check "restore its base, paused" ckpt-restore "$base" --to xen: --paused
check "it is paused" grep -q '^paused' <<<"$(domain-state "$(xl domid "$name")")"
xl unpause "$name"
goes_on "$name" "$base"

xl destroy "$name"
: >"$(console "$name")"
check "export it" ckpt-restore -q "$tip" --to xl -o /tmp/export.xl
check "plain xl restore takes it" xl restore /tmp/export.xl
rm -f /tmp/export.xl /tmp/again.ckpt
goes_on "$name" "$tip"
check "what was restored can be captured" ckpt-capture -q "xen:$name" -o /tmp/again.ckpt
unharmed "$name" "$known"
finish
