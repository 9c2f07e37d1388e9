#!/bin/bash
# What it costs to save a guest of SIZE MiB and TYPE that does each of WORKLOADS, and to restore it, beside xl save and xl
# restore of the same guest in the same run: without leaving anything out, without free pages, and squeezed. Under
# emulation only ratios mean something. Runs in dom0.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
# shellcheck source=Tests/Xen/dom0/measure.sh
. ./measure.sh
type=${TYPE:-pvh} name=g MEMORY=${SIZE:-256}
row() { printf '| %-6s | %-16s | %11s | %6s | %11s | %6s | %6s | %6s | %6s |\n' "$@"; }

# states IMAGE: its pages by state.
states() { ckpt-inspect info "$1" | sed -n 's/^pages *//p'; }
# restored COMMAND...: how long it takes until the guest is back, which then goes on and finds all as it was: $took.
restored() {
  xl domid $name >/dev/null 2>&1 && xl destroy $name
  : >"$(console $name)"
  local from
  from=$(now_ms)
  "$@" >/tmp/said 2>&1 || bad "$*: $(tail -n 3 /tmp/said)"
  took=$(($(now_ms) - from))
  check "$workload: goes on after ${*: -1}" until_true 60 ticked $name 1
  check "$workload: finds its memory intact" intact $name
}

row work saved base "/ xl" increment "/ xl" time pause restore | tee /tmp/table
for workload in ${WORKLOADS:-cache anon job idle}; do
  disk $name-"$workload" "$MEMORY"
  start $name "$type" "$(words_of "$workload")" || { bad "it does not start"; finish; }
  beats $name 2
  watched /tmp/pauses xl save -c $name /tmp/save
  save_took=$took save_pause=$(median </tmp/pauses) save_bytes=$(bytes /tmp/save)
  # Squeezing comes last: it takes away what the others would have to save.
  for method in "--evict none" "--evict free" "--squeeze auto"; do
    key=${method##* }
    # shellcheck disable=SC2086
    watched /tmp/pauses ckpt-capture xen:$name $method -o "/tmp/$key.ckpt"
    grep -e squeezed -e 'left out' /tmp/said
    eval "took_$key=$took pause_$key=$(median </tmp/pauses) bytes_$key=$(bytes "/tmp/$key.ckpt")"
    # shellcheck disable=SC2086
    check "$workload: an increment, $method" ckpt-capture -q xen:$name $method --parent "/tmp/$key.ckpt" -o /tmp/next.ckpt
    eval "next_$key=$(bytes /tmp/next.ckpt)"
    rm -f /tmp/next.ckpt
  done
  ckpt-inspect guest /tmp/none.ckpt
  restored xl restore /tmp/save
  save_restored=$took
  rm -f /tmp/save
  row "$workload" "xl save" "$save_bytes" 1 "$save_bytes" 1 1 1 1 | tee -a /tmp/table
  for key in none free auto; do
    restored ckpt-restore --to xen: --disks-restored "/tmp/$key.ckpt"
    echo "$workload, $key: $(states "/tmp/$key.ckpt")"
    bytes=bytes_$key next=next_$key time=took_$key pause=pause_$key
    row "$workload" "$key" "${!bytes}" "$(ratio "${!bytes}" "$save_bytes")" "${!next}" "$(ratio "${!next}" "$save_bytes")" \
      "$(ratio "${!time}" "$save_took")" "$(ratio "${!pause}" "$save_pause")" "$(ratio "$took" "$save_restored")" | tee -a /tmp/table
    rm -f "/tmp/$key.ckpt"
  done
  xl destroy $name
  losetup -d "$DISK"
  rm -f /tmp/$name-"$workload".disk
done
cat /tmp/table
finish
