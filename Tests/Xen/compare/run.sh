# shellcheck shell=bash
# Runs in dom0. What the library reads of a suspended guest's memory and state is what Xen's own save writes in the
# same pause: of a PV guest, one that was ballooned, a PVH guest, and a PV guest with Debian's kernel on two vCPUs.
# Before that, all memory is read while the guest runs.
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh

# shellcheck disable=SC2317 # called by check
suspended() { domain-state "$1" | grep -q '^shutdown-2'; }
# shellcheck disable=SC2317
saved() { oracle "$1" >/tmp/saved 2>/tmp/said || ! tail -n 5 /tmp/said; }
# compare NAME: suspends the guest, has Xen save it, compares, and destroys the guest.
compare() {
  local id
  id=$(xl domid "$1")
  check "$1: read while it runs" xen-compare "$id" live 3
  xenstore-write "/local/domain/$id/control/shutdown" suspend
  check "$1: suspended" until_true 30 suspended "$id"
  check "$1: saved by Xen" saved "$id"
  check "$1: equals Xen's save" xen-compare "$id" /tmp/saved
  xl destroy "$1"
  rm -f /tmp/saved
}

# The small kernel, where it was built, starts soonest, and in less memory.
if [ -e "$GUEST/vmlinux-tiny" ]; then
  export KERNEL=$GUEST/vmlinux-tiny MEMORY=64
fi
check "a guest starts" start plain pv
compare plain

check "a guest to be ballooned starts" start ballooned pv
xl mem-set ballooned $((MEMORY - 12))
sleep 3
echo "pages after ballooning: $(pages ballooned)"
compare ballooned

check "a PVH guest starts" start pvh pvh
compare pvh

export KERNEL=$GUEST/vmlinux MEMORY=128 VCPUS=2
check "a guest of two vCPUs with Debian's kernel starts" start debian pv
compare debian
finish
