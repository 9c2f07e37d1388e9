#!/bin/bash
# How long a guest of SIZE MiB stands still, how long a capture takes and how many bytes it makes, beside xl save -c of the
# same guest. TYPE: pv or pvh. Under emulation only ratios mean something. Runs in dom0.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
# shellcheck source=Tests/Xen/dom0/measure.sh
. ./measure.sh
type=${TYPE:-pvh} name=g MEMORY=${SIZE:-512}
row() { printf '| %-40s | %10s | %10s | %7s |\n' "$@"; }

# Half of the memory is used: a text, a program's data, and what does not compress.
start $name "$type" "wl.text=$((MEMORY / 8)) wl.pattern=$((MEMORY / 8)) wl.random=$((MEMORY / 16)) wl.cache=$((MEMORY / 16)) wl.hot=$((MEMORY / 8)) wl.dirty=${LIGHT:-200}" ||
  { cat "$(console $name)"; bad "it does not start"; finish; }
echo "log-dirty: $(log_dirty $name)"
row "$type, $MEMORY MiB, times in ms" "xl save -c" "live" "ratio"
for load in light heavy; do
  [ $load = light ] || tell $name "dirty ${HEAVY:-5000}"
  beats $name 3
  watched /tmp/pause-save xl save -c $name /tmp/save
  save_pause=$(median </tmp/pause-save) save_took=$took save_bytes=$(bytes /tmp/save)
  rm -f /tmp/save
  rm -f /tmp/*.ckpt
  watched /tmp/pause-live ckpt-capture xen:$name -o /tmp/%d.ckpt --every 2 --count 4
  cat /tmp/said
  # The first pause is that of the base.
  live_pause=$(tail -n +2 /tmp/pause-live | median)
  row "$load load: standing still" "$save_pause" "$live_pause" "$(ratio "$live_pause" "$save_pause")"
  row "$load load: standing still for the base" "$save_pause" "$(head -n 1 /tmp/pause-live)" \
    "$(ratio "$(head -n 1 /tmp/pause-live)" "$save_pause")"
  row "$load load: bytes of the base" "$save_bytes" "$(bytes /tmp/0.ckpt)" "$(ratio "$(bytes /tmp/0.ckpt)" "$save_bytes")"
  row "$load load: bytes of an increment" "$save_bytes" "$(bytes /tmp/2.ckpt)" "$(ratio "$(bytes /tmp/2.ckpt)" "$save_bytes")"
  for part in handshake copy resume; do
    echo "$part: $(for image in /tmp/[0-9].ckpt; do ckpt-inspect info "$image" | grep -i "$part" | tr -s ' ' | tr '\n' ' '; done)"
  done
  rm -f /tmp/*.ckpt
  [ $load = heavy ] && break
  # From the end of the base to the end of the fifth increment, five increments were made one after another.
  ckpt-capture xen:$name -o /tmp/%d.ckpt --every 0.01 --count 6 --json 2>/dev/null |
    while read -r line; do case $line in *'"event":"image"'*) now_ms ;; esac; done >/tmp/made
  each=$((($(tail -n 1 /tmp/made) - $(head -n 1 /tmp/made)) / 5))
  row "$load load: time of an increment" "$save_took" "$each" "$(ratio "$each" "$save_took")"
  rm -f /tmp/*.ckpt
  # One more on an image that is there, by itself: the whole time of it.
  watched /tmp/pause-base ckpt-capture -q xen:$name -o /tmp/base.ckpt
  row "$load load: time of a base" "$save_took" "$took" "$(ratio "$took" "$save_took")"
  watched /tmp/pause-parent ckpt-capture -q xen:$name -o /tmp/next.ckpt --parent /tmp/base.ckpt
  row "$load load: time of --parent" "$save_took" "$took" "$(ratio "$took" "$save_took")"
  rm -f /tmp/*.ckpt
done

# How much less a guest gets done that never rests, while it is captured every second.
dirtied() { grep -o 'dirtied [0-9]*' "$(console $name)" | tail -n 1 | cut -d' ' -f2; }
pages_per_minute() {
  local from before
  beats $name 1
  from=$(now_ms) before=$(dirtied)
  sleep 20
  beats $name 1
  echo $((($(dirtied) - before) * 60000 / ($(now_ms) - from)))
}
tell $name "dirty ${BUSY:-20000}"
beats $name 1
alone=$(pages_per_minute)
ckpt-capture -q xen:$name -o /tmp/%d.ckpt --every 1 >/dev/null 2>&1 &
worker=$!
until_true 120 test -e /tmp/0.ckpt
meanwhile=$(pages_per_minute)
kill -TERM $worker
wait $worker
row "pages written a minute, alone / --every 1" "$alone" "$meanwhile" "$(ratio "$meanwhile" "$alone")"
check "the guest is as it was" beats $name
finish
