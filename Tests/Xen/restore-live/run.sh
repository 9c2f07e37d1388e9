# shellcheck shell=bash
# Images become running domains again: PV and PVH, paused, beside the original, with disks; what must be refused is,
# and whatever ends a restore in its middle, no domain is left. Runs in dom0.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
source ./guest.sh
cp bin/block-loop /etc/xen/scripts/

restore() { ckpt-restore --to xen: "$@"; }
# says STATUS PATTERN COMMAND...: how it ends, and what it says.
says() {
  local wanted=$1 pattern=$2 status=0
  shift 2
  "$@" >said 2>&1 || status=$?
  [ "$status" = "$wanted" ] && grep -qE -- "$pattern" said && return
  echo "$*: status $status: $(cat said)"
  return 1
}
# What xenstore holds of guests.
traces() { xenstore-ls -f | grep -E '^(/local/domain/[1-9]|/libxl/[1-9]|/vm/|/local/domain/0/backend/.*/[0-9]+)'; }
# nothing_left WHAT: no domain, nothing in xenstore, no process of the restore.
# shellcheck disable=SC2009
no_process() { ! ps | grep -E '[x]l restore|[l]ibxl-save-helper'; }
nothing_left() {
  check "$1: no domain is left" until_true 30 test "$(domains)" = 1
  check "$1: nothing is left in xenstore" test -z "$(traces)"
  check "$1: no process is left" until_true 10 no_process
}
# monitor NAME: the process that acts when the guest of that name ends.
monitor() {
  local process
  for process in $(pidof xl); do
    [ "$(readlink "/proc/$process/fd/1")" = "/var/log/xen/xl-$1.log" ] && echo "$process"
  done
}
gone() { ! xl domid "$1" >/dev/null 2>&1; }
begun() { [ "$(domains)" -gt 1 ]; }
# went_on NAME: its heart goes on from where it was captured, and its memory is as it filled it.
went_on() {
  local first
  check "$1: beats" until_true 60 ticked "$1" 1
  first=$(grep -o 'wl: tick [0-9]*' "$(console "$1")" | head -n 1)
  first=${first##* }
  check "$1: goes on from heartbeat $before to $after with $first" \
    test "$first" -ge "$before" -a "$first" -le $((after + 1))
  check "$1: goes on" beats "$1"
  check "$1: finds its memory intact" intact "$1"
}

# caught OPTION...: a restore, stopped while xl is building the domain.
half_built() { xl list again 2>/dev/null | awk 'NR == 2 { found = $4 == 0 && $5 == "--p---" } END { exit !found }'; }
caught() {
  set -m
  ckpt-restore --to xen: --name again "$@" >caught-said 2>&1 &
  pid=$!
  set +m
  until_true 10 half_built
  kill -STOP $pid
  check "$1: caught in the middle" half_built
}
# ends STATUS: how the caught restore ended.
ends() {
  local status=0
  wait "$pid" || status=$?
  [ "$status" = "$1" ] && return
  echo "status $status: $(cat caught-said)"
  return 1
}
child() { ps -o pid,ppid,comm | awk -v parent=$pid '$2 == parent { print $1 }'; }
mode() { xenstore-read "/local/domain/0/backend/vbd/$(xl domid again)/51712/mode"; }

# A guest comes back from its image: beside itself, in its own place, paused.
comes_back() {
  check "$type starts" start "$type" "$type"
  before=$(tick "$type")
  if [ "$type" = pv ]; then
    check "$type is saved by xl" xl save -c "$type" save >/dev/null 2>&1
    check "$type is captured" ckpt-capture -q save -o "$type".ckpt
    rm -f save
  else
    check "$type is captured alive" ckpt-capture -q xen:"$type" -o "$type".ckpt --hook-paused 'echo snapshot-7'
  fi
  after=$(tick "$type")
  check "$type: refused while it runs" says 2 'is there already, with the UUID' restore "$type".ckpt
  check "$type: a clone needs another name" says 2 'needs a name of its own' \
    restore "$type".ckpt --clone --name "$type"
  check "$type: a clone beside it" says 0 'domain twin .*runs' restore "$type".ckpt --clone --name twin
  went_on twin
  check "$type: the original goes on" beats "$type"
  check "$type: their UUIDs differ" test "$(xl domid "$type")" != "$(xl domid twin)" -a \
    "$(xl list -v "$type" | awk 'NR == 2 { print $7 }')" != "$(xl list -v twin | awk 'NR == 2 { print $7 }')"
  check "$type: a name that is taken" says 2 'has the name twin already' \
    restore "$type".ckpt --clone --name twin
  xl destroy twin
  xl destroy "$type"
  : >"$(console "$type")"
  check "$type: restored" says 0 "\"name\" : \"$type\"" restore "$type".ckpt --json
  went_on "$type"
  check "$type: a monitor is there" test -n "$(monitor "$type")"
  tell "$type" off
  check "$type: its power-off is acted on" until_true 30 gone "$type"
  check "$type: paused" says 0 'domain again .*is paused' restore "$type".ckpt --paused --name again
  check "$type: does not run" test "$(xl list again | awk 'NR == 2 { print $5 }')" = --p---
  xl unpause again
  went_on again
  xl destroy again
  nothing_left "$type"
}

# Restores that end in their middle.
breaks_off() {
  cp "$type".ckpt bad.ckpt
  dd if=/dev/urandom of=bad.ckpt bs=1 count=64 seek=$(($(stat -c %s bad.ckpt) / 2)) conv=notrunc 2>/dev/null
  check "a damaged image" says 1 'bad.ckpt: byte' restore bad.ckpt
  nothing_left "a damaged image"
  caught "$type".ckpt
  kill -TERM -- -$pid
  kill -CONT $pid
  check "SIGTERM: its status" ends 143
  nothing_left SIGTERM
  caught "$type".ckpt
  kill -KILL $pid
  check "SIGKILL: its status" ends 137
  nothing_left SIGKILL
  caught "$type".ckpt
  kill -KILL "$(child)"
  kill -CONT $pid
  check "xl is killed: the status" ends 2
  check "xl is killed: the message" grep -q 'xl: failed (signal 9)' caught-said
  nothing_left "xl is killed"
  rm -rf /run/vmckpt
}

# What a guest can write to is asked about.
has_disks() {
  truncate -s 4M disk
  losetup /dev/loop0 disk
  cat >disk.cfg <<C
name = "again"
type = "$type"
kernel = "$KERNEL"
memory = $MEMORY
vcpus = 1
disk = [ 'format=raw, vdev=xvda, script=block-loop, access=rw, target=/dev/loop0' ]
C
  check "a writable disk" says 2 'can write to its disk xvda; put back the snapshot .*snapshot-7' \
    restore "$type".ckpt --config disk.cfg
  sed s/pvh/pv/ disk.cfg >other.cfg
  check "another kind of guest" says 2 'is the configuration of a pv guest' restore "$type".ckpt --config other.cfg
  check "a disk that was put back" says 0 'domain again .*runs' restore "$type".ckpt --config disk.cfg --disks-restored
  check "the disk is writable" test "$(mode)" = w
  check "again: goes on" beats again
  xl destroy again
  check "a clone with a disk" says 0 'domain other .*runs' \
    restore "$type".ckpt --config disk.cfg --clone --name other
  check "its disk is for reading" test \
    "$(xenstore-read "/local/domain/0/backend/vbd/$(xl domid other)/51712/mode")" = r
  xl destroy other
  sed -i s/block-loop/no-such-script/ disk.cfg
  check "a domain that xl cannot make" says 2 'xl: failed .*no-such-script' \
    restore "$type".ckpt --config disk.cfg --disks-restored
  nothing_left "a domain that xl cannot make"
}

for type in ${TYPES:-pv pvh}; do
  comes_back
  if [ "$type" = pv ]; then breaks_off; else has_disks; fi
done
finish
