#!/bin/bash
# soak pv|pvh CAPTURES KILLS RESTORES: the same again and again. Neither dom0's memory, nor Xen's, nor the guest's pages
# grow. Ends with a table.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 captures=$2 kills=$3 restores=$4 name=$1
have "$name" "$type"

# memory: dom0's free memory without the files that the parts keep, then what Xen has free, in MiB.
memory() {
  rm -rf "/tmp/$type" /tmp/kills /tmp/again.ckpt
  sync
  echo 3 >/proc/sys/vm/drop_caches
  echo "$(free -m | awk '/^Mem/ { print $4 }') $(xl info free_memory)"
}
# repeat WHAT COMMAND...: runs it, and counts its checks.
repeat() {
  local what=$1 lines=/tmp/soak-$1
  shift
  "$@" 2>&1 | tee -a "$lines" | grep -e '^FAILED' -e '^--'
  [ "${PIPESTATUS[0]}" = 0 ] || bad "$what"
}
row() { printf '| %-34s | %12s |\n' "$1" "$2"; }
passed() { grep -c "^ok.*$2" "/tmp/soak-$1"; }

# What starts only once (a guest's monitor, log files) comes before measuring begins.
repeat first ./oracle.sh "$type" 1
read -r dom0_before xen_before < <(memory)
pages_before=$(pages "$name")

repeat captures ./oracle.sh "$type" $((captures - 1))
for ((done = 0; done < restores; done += 4)); do
  repeat restores ./restores.sh "$type"
done
repeat kills ./kills.sh "$type" $(((kills + 4) / 5))

read -r dom0_after xen_after < <(memory)
pages_after=$(pages "$name")
check "Xen's free memory is what it was" test "$xen_after" -ge $((xen_before - 1))
check "dom0's free memory is what it was" test "$dom0_after" -ge $((dom0_before - 16))
check "the guest's pages are as many as before" test "$pages_after" = "$pages_before"

row "$type guest of $MEMORY MiB" "$(xl info xen_version)"
row "images equal to Xen's save" "$(passed captures 'equals Xen')"
row "kills survived" "$(passed kills 'finds its memory intact')"
row "restored guests that go on" "$(passed restores 'goes on from')"
row "dom0's free memory, MiB" "$dom0_before → $dom0_after"
row "Xen's free memory, MiB" "$xen_before → $xen_after"
row "pages of the guest" "$pages_before → $pages_after"
row "failed checks" "$failed"
finish
