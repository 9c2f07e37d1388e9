#!/bin/bash
# kills pv|pvh [ROUNDS]: the capture is killed (SIGKILL) in each of its phases, and with its guard in the pause; the guest
# goes on as if nothing had been, and the next capture is right.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 rounds=${2:-1} name=$1
have "$name" "$type"
rm -rf /tmp/kills
mkdir -p /tmp/kills/oracle

# capture [OPTION...]: begins one, in the background: $worker.
capture() {
  rm -f /tmp/kills/*.ckpt /tmp/kills/in-hook /tmp/kills/hook-done
  ckpt-capture "xen:$name" -o /tmp/kills/%d.ckpt "$@" >/tmp/kills/said 2>&1 &
  worker=$!
}
# killed WHEN [COMMAND...]: ends it so, does what is said, and looks at what is left; the guard may need a moment to put
# things right.
killed() {
  local when=$1
  shift
  kill -KILL "$worker" || bad "$when: it had ended before: $(cat /tmp/kills/said)"
  wait "$worker" 2>/dev/null
  "$@"
  echo "-- killed $when"
  until_true 30 quiet || bad "$when: not put right: $(domain-state "$(xl domid "$name")"), $(ls /run/vmckpt)"
  unharmed "$name" "$known"
}
quiet() {
  [ -z "$(find /run/vmckpt -name '*.journal' 2>/dev/null)" ]
}
asked_to_suspend() { [ "$(xenstore-read "/local/domain/$(xl domid "$name")/control/shutdown")" = suspend ]; }
next_is_right() {
  rm -rf /tmp/kills/next* /tmp/kills/oracle/*
  check "the next capture works" ckpt-capture -q "xen:$name" --evict none -o /tmp/kills/next.ckpt \
    --hook-timeout 120 --hook-paused "in-pause $name /tmp/kills/oracle"
  as_the_oracle /tmp/kills/next.ckpt /tmp/kills/oracle
}
hook='touch /tmp/kills/in-hook; sleep 2; touch /tmp/kills/hook-done'

for ((round = 0; round < rounds; round++)); do
  capture
  sleep 0.$((4 + round % 5))
  killed "in the first rounds"

  # A guest with hardly any time to run acknowledges late.
  hardly_runs "$name"
  capture --pause
  until_true 60 asked_to_suspend || bad "the guest is not asked to suspend: $(cat /tmp/kills/said)"
  killed "while it waited for the guest" runs_again "$name"

  capture --hook-paused "$hook"
  until_true 30 test -e /tmp/kills/in-hook || bad "the hook is not run: $(cat /tmp/kills/said)"
  killed "in the pause"

  capture --hook-paused "$hook"
  until_true 30 test -e /tmp/kills/hook-done || bad "the hook is not run"
  sleep 0.2
  killed "while it wrote"

  capture --every 30
  until_true 60 test -e /tmp/kills/0.ckpt || bad "no base: $(cat /tmp/kills/said)"
  sleep 0.5
  killed "between two images"
  check "the finished image is sound" ckpt-verify -q /tmp/kills/0.ckpt
done
next_is_right

# Nobody is left to put things right: then --recover does.
capture --hook-paused "$hook"
until_true 30 test -e /tmp/kills/in-hook || bad "the hook is not run"
guards=$(processes guard-of-domain)
check "there is a guard" test -n "$guards"
for process in $guards "$worker"; do kill -KILL "$process"; done
wait "$worker" 2>/dev/null
echo "-- killed with its guard in the pause: $(domain-state "$(xl domid "$name")")"
sleep 3
check "--recover" ckpt-capture --recover
unharmed "$name" "$known"
next_is_right
finish
