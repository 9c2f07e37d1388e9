# shellcheck shell=bash
# The guard undoes what a killed capture had done to a guest, and the monitor acts on a guest's end. Runs in dom0.
# TYPE: pv or pvh.
set -u
source ./guest.sh
type=${TYPE:-pvh} name=g

# drive PATIENCE: starts a driver of the guard for the guest; "ask" tells it what to do, $driver is its number.
drive() {
  local id uuid
  id=$(xl domid $name)
  uuid=$(xl list -v | awk -v n=$name '$1 == n { print $7 }')
  rm -f /tmp/ask
  mkfifo /tmp/ask
  : >/tmp/told
  guard-driver "$id" "$uuid" "$1" </tmp/ask >/tmp/told 2>&1 &
  driver=$!
  exec 7>/tmp/ask
  until_true 10 grep -q -e ready -e error /tmp/told
  # The guard is the other process of the same program.
  guardian=$(processes guard-of-domain | head -n 1)
}
ask() { echo "$1" >&7; }
told() { grep -q "$1" /tmp/told; }
does() {
  ask "$1"
  until_true 30 told "\(done\|error\): $1"
  told "done: $1" || { cat /tmp/told; return 1; }
}
leave() {
  exec 7>&-
  wait $driver
}
kill_driver() {
  kill -9 $driver
  wait $driver 2>/dev/null
  exec 7>&-
}
guard_gone() { [ -z "$(processes guard-of-domain)" ]; }
request() { xenstore-read "/local/domain/$(xl domid $name)/control/shutdown" 2>/dev/null; }
state() { domain-state "$(xl domid $name)"; }
monitors() { processes monitor-of-domain | wc -l; }
xl_monitors() {
  local link
  for link in /proc/[0-9]*/fd/1; do readlink "$link"; done 2>/dev/null | grep -c "xl-$name.log"
}

echo "=== $type (at $(uptime_s) s)"
check "the guest starts" start $name "$type"
check "xl has left a monitor" test "$(xl_monitors)" -ge 1

# Orderly: every act, and the time it takes.
drive 20
if [ "$(log_dirty $name)" = off ]; then
  check "log-dirty is switched on" does "log-dirty on"
  check "twice is no error" does "log-dirty on"
  check "log-dirty is on" test "$(log_dirty $name)" = on
fi
for act in suspend resume suspend resume pause unpause; do check "$act" does "$act"; done
cat /tmp/told
drive_2=$(guard-driver "$(xl domid $name)" "$(xl list -v | awk -v n=$name '$1 == n { print $7 }')" 5 </dev/null)
check "a second capture is refused: $drive_2" grep -q "captured already" <<<"$drive_2"
check "it ends" does close
leave
unharmed $name 2
check "a monitor of ours has taken the place of xl's" test "$(monitors)" = 1
check "and xl's is gone" test "$(xl_monitors)" = 0

# The capturing process killed after each act.
for acts in "log-dirty on" suspend "log-dirty on,suspend" pause; do
  drive 20
  IFS=, read -ra list <<<"$acts"
  for act in "${list[@]}"; do does "$act"; done
  echo "before: $(state)"
  kill_driver
  check "killed after $acts: the guard ends" until_true 30 guard_gone
  check "killed after $acts: beats" beats $name 1
  check "killed after $acts: $(state)" grep -q '^running.*log-dirty=\(off\|none\)' <<<"$(state)"
done
# ... and in the middle of the handshake.
drive 20
ask suspend
kill_driver
check "killed in the handshake: the guard ends" until_true 30 guard_gone
unharmed $name 2

# Signals of a terminal's or service's end do nothing to the guard; both killed: the next capture, or --recover.
drive 20
does "log-dirty on"
does suspend
for signal in INT TERM HUP; do kill -$signal "$guardian"; done
sleep 0.3
check "the guard heeds no signal" kill -0 "$guardian"
kill -9 "$guardian"
kill_driver
echo "both killed: $(state); $(cat /run/vmckpt/*.journal)"
recovered=$(ckpt-capture --recover)
check "recovered: $recovered" grep -q suspend <<<"$recovered"
unharmed $name 2
drive 20
does pause
kill -9 "$guardian"
kill_driver
drive 20
check "the next capture recovers" told "recovered.*pause"
does close
leave
# The guard alone.
drive 20
does suspend
kill -9 "$guardian"
ask resume
until_true 30 told "error: resume"
check "the guard alone killed: $(tail -n 1 /tmp/told)" told "ended unexpectedly"
leave
unharmed $name 2

# A capture that has neither a folder nor standard descriptors.
(
  mkdir /tmp/gone
  cd /tmp/gone && rmdir /tmp/gone
  ckpt-capture "xen:$name" -o /tmp/g.ckpt <&- >&- 2>&-
)
check "without a folder and standard descriptors" ckpt-verify -q /tmp/g.ckpt
unharmed $name 2

# A guest that somebody else paused cannot answer; it stays as it was, and does nothing later.
xl pause $name
drive 1
ask suspend
until_true 10 told "error: suspend"
check "a paused guest does not answer: $(tail -n 1 /tmp/told)" told "is paused"
does pause
kill_driver
until_true 30 guard_gone
check "and stays as it was: $(state)" grep -q '^paused' <<<"$(state)"
xl unpause $name
check "beats" beats $name 3

# The monitor acts on a reboot and a power-off.
id=$(xl domid $name)
rm -f "$(console $name)"
tell $name reboot
rebooted() { new=$(xl domid $name 2>/dev/null) && [ "$new" != "$id" ]; }
check "a reboot from inside makes it anew" until_true 30 rebooted
until_true 90 ticked $name 2
check "and it runs: $(xl list | tail -n 1)" ticked $name 2
drive 20
does suspend
kill_driver
until_true 30 guard_gone
check "after the reboot it is captured and released" beats $name 1
check "one monitor" test "$(monitors)" = 1
tell $name off
off() { ! xl domid $name >/dev/null 2>&1; }
check "a power-off from inside destroys it" until_true 30 off
no_monitor() { [ "$(monitors)" = 0 ]; }
check "and its monitor ends" until_true 10 no_monitor
cat /var/log/xen/ckpt-monitor-$name.log
ls -l /run/vmckpt

finish
