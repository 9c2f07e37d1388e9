# Images become running domains again: PV and PVH, paused, beside the original, with disks; what must be refused is,
# and whatever ends a restore in its middle, no domain is left. Runs in dom0.
set -u
# shellcheck source=../dom0/guest.sh
source ./guest.sh
cp block-loop /etc/xen/scripts/

restore() { ckpt-restore --to xen: "$@"; }
# says STATUS PATTERN COMMAND...: how it ends, and what it says.
says() {
  local wanted=$1 pattern=$2 status=0
  shift 2
  "$@" >said 2>&1 || status=$?
  [ $status = "$wanted" ] && grep -qE -- "$pattern" said && return
  echo "$*: status $status: $(cat said)"
  return 1
}
# What xenstore holds of guests.
traces() { xenstore-ls -f | grep -E '^(/local/domain/[1-9]|/libxl/[1-9]|/vm/|/local/domain/0/backend/.*/[0-9]+)'; }
# nothing_left WHAT: no domain, nothing in xenstore, no process of the restore.
no_process() { ! ps | grep -E '[x]l restore|[l]ibxl-save-helper'; }
nothing_left() {
  check "$1: no domain is left" until_true 30 test "$(domains)" = 1
  check "$1: nothing is left in xenstore" test -z "$(traces)"
  check "$1: no process is left" until_true 50 no_process
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
# went_on NAME TICK: its heart goes on from there, and its memory is as it filled it.
went_on() {
  check "$1: goes on" beats "$1"
  check "$1: goes on where it was" test "$(tick "$1")" -lt $(($2 + 40))
  check "$1: finds its memory intact" intact "$1"
}

for type in pv pvh; do
  check "$type starts" start $type $type
  check "$type is saved" xl save -c $type $type.save >/dev/null 2>&1
  saved=$(tick $type)
  check "$type is captured" ckpt-capture -q $type.save -o $type.ckpt
  rm $type.save
  check "$type: refused while it runs" says 2 'same UUID|is there already' restore $type.ckpt
  check "$type: a clone needs another name" says 2 'needs a name of its own' \
    restore $type.ckpt --clone --name $type
  check "$type: a clone" says 0 "domain twin .*runs" restore $type.ckpt --clone --name twin
  went_on twin "$saved"
  check "$type: the original goes on" beats $type
  check "$type: their UUIDs differ" test "$(xl domid $type)" != "$(xl domid twin)" -a \
    "$(xl list -v $type | awk 'NR == 2 { print $7 }')" != "$(xl list -v twin | awk 'NR == 2 { print $7 }')"
  check "$type: a name that is taken" says 2 'has the name twin already' \
    restore $type.ckpt --clone --name twin
  xl destroy twin
  xl destroy $type
  check "$type: restored" says 0 "\"name\" : \"$type\"" restore $type.ckpt --json
  cat said
  went_on $type "$saved"
  check "$type: a monitor is there" test -n "$(monitor $type)"
  tell $type off
  check "$type: its power-off is acted on" until_true 300 gone $type
  check "$type: paused" says 0 'domain again .*is paused' restore $type.ckpt --paused --name again
  check "$type: does not run" test "$(xl list again | awk 'NR == 2 { print $5 }')" = --p---
  xl unpause again
  went_on again "$saved"
  xl destroy again
  nothing_left $type
done
finish
