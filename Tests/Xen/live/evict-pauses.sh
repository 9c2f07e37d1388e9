#!/bin/bash
# evict-pauses pv|pvh: how long the same guest stands still with and without its free pages, apart from the time that it
# needs itself.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 name=pauses-$1
MEMORY=128
start "$name" "$type" "wl.churn=12" || { bad "$name does not start"; finish; }
for policy in free none free none; do
  echo "--evict $policy:"
  ckpt-capture "xen:$name" --evict $policy -o /tmp/pauses-%d.ckpt --every 1 --count 5 --json |
    sed -n 's/.*"event":"resumed","pages":\([0-9]*\).*"classify":\([0-9.]*\),"copy":\([0-9.]*\).*/pages \1, classify \2 ms, copy \3 ms/p'
  rm -f /tmp/pauses-*.ckpt
done
xl destroy "$name"
finish
