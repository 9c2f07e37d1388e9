# shellcheck shell=bash
# Sourced after guest.sh by jobs that measure a guest, $name.
now_ms() { awk '{ print int($1 * 1000) }' /proc/uptime; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0 && a ~ /^[0-9]/) printf "%.3f", a / b; else printf "-" }'; }
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)]; else print "?" }'; }
bytes() { stat -c %s "$1" 2>/dev/null || echo 0; }
# watched FILE COMMAND...: runs it while the guest's pauses are measured into the file; "took" is its time in ms.
# The job names the guest, and uses what is found.
# shellcheck disable=SC2154,SC2034
watched() {
  local file=$1 watcher from
  shift
  pauses "$(xl domid "$name")" >"$file" &
  watcher=$!
  from=$(now_ms)
  "$@" >/tmp/said 2>&1 || bad "$*: $(tail -n 3 /tmp/said)"
  took=$(($(now_ms) - from))
  sleep 1
  kill $watcher
  wait $watcher 2>/dev/null
}
