#!/bin/bash
# A guest is captured every second while it works, is lost, and comes back. Runs in dom0.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
exec 2>&1
show() {
  echo
  echo "\$ $*"
  "$@"
}
type=${TYPE:-pvh} name=web
echo "A $type guest of $MEMORY MiB boots. Its program fills memory, then writes to some of it every second and says so."
start $name "$type" || finish
tail -n 2 "$(console $name)"
id=$(xl domid $name)

echo
echo "Xen's own live save, for comparison: the guest stands still for all of it."
pauses "$id" >/tmp/pause-save &
watcher=$!
echo "\$ xl save -c $name web.save"
xl save -c $name /tmp/web.save >/dev/null 2>&1
sleep 1
kill $watcher
pauses "$id" >/tmp/pause-live &
watcher=$!

echo
echo "Now VMckpt: a base, then what changes, every second. The guest goes on meanwhile."
cd /tmp || exit 1
show ckpt-capture xen:$name -o web-%02d.ckpt --every 1 --count 6
sleep 1
kill $watcher
echo
echo "How long the guest stood still, in milliseconds (emulated: compare, do not quote):"
echo "  xl save -c    $(tr '\n' ' ' </tmp/pause-save)"
echo "  ckpt-capture  $(tr '\n' ' ' </tmp/pause-live)"
echo "Bytes: xl save $(stat -c %s web.save); images $(stat -c %s web-*.ckpt | tr '\n' ' ')"

echo
echo "The guest is lost:"
grep -o 'wl: tick [0-9]*' "$(console $name)" | tail -n 1
show xl destroy $name
echo
echo "It comes back from the last image, and goes on where it was:"
: >"$(console $name)"
show ckpt-restore web-05.ckpt --to xen:
check "its heart beats" beats $name 3
grep -o 'wl: tick [0-9]*' "$(console $name)" | tail -n 3
check "it finds its memory as it filled it" intact $name
grep -o 'wl: check.*' "$(console $name)" | tail -n 1
show xl list
finish
