#!/usr/bin/env bash
# Signals at random moments: the tool ends with 128 + signal, or was already done; what has the final name
# is whole. Only a kill leaves the hidden unfinished file behind; an interrupted capture leaves NAME.partial.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

RANDOM=${SEED:=$$}
echo "SEED=$SEED"
memory a.raw 20000 1
memory b.raw 20000 2
ckpt-capture -q --format raw a.raw -o base.ckpt
ckpt-capture -q --format raw b.raw --parent base.ckpt -o tip.ckpt
cp -r . ../"$(basename "$work")".sound
trap 'rm -rf "$work" "$work".sound' EXIT

own=$(cat /proc/$$/comm)
ended=0
kept=0
# whole COMMAND...: what it has written is complete.
whole() {
  case $1 in
    ckpt-restore) cmp out/image b.raw ;;
    *) ckpt-verify -q out/image --search . ;;
  esac
}

try() {
  local signal=$1 status=0
  shift
  "$@" -q -o out/image 2>message &
  local tool=$!
  # Until it is the tool, it is a copy of this shell, which would remove this folder when a signal ends it.
  while [[ $(cat /proc/$tool/comm 2>/dev/null || true) == "$own" ]]; do :; done
  sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
  kill -s "$signal" $tool 2>/dev/null || true
  wait $tool || status=$?
  case $status in
    0) [[ -e out/image ]] || fail "$*: status 0 without output" ;;
    *)
      [[ $status == $((128 + $(kill -l "$signal"))) ]] || fail "$*: $signal: status $status: $(cat message)"
      # It may have come between the name and the end.
      [[ ! -e out/image ]] || whole "$@" || fail "$*: $signal: the output is there, and not whole"
      [[ $signal == KILL ]] || ended=$((ended + 1))
      if [[ -e out/image.partial ]]; then
        [[ $1 == ckpt-capture ]] || fail "$*: $signal: left $(ls -A out)"
        grep -q "ckpt-verify --salvage FILE out/image.partial" message || fail "$*: $signal: $(cat message)"
        unfinished_left out/image
        kept=$((kept + 1))
      fi
      ;;
  esac
  [[ $signal == KILL ]] || [[ -z $(find out -name '*.partial') ]] || fail "$*: $signal: left $(ls -A out)"
  # What a kill leaves of a capture can be salvaged too, once a page is in it.
  if [[ $signal == KILL && $1 == ckpt-capture ]]; then
    for partial in out/.*.partial; do
      [[ -s $partial ]] || continue
      mv "$partial" out/killed.partial
      unfinished_left out/killed
    done
  fi
  rm -rf out
}

# How many come to their end before the signal depends on the machine.
for round in $(seq 20); do
  for signal in INT TERM HUP KILL; do
    for command in "ckpt-capture --format raw a.raw" "ckpt-capture --format raw b.raw --parent base.ckpt" \
      "ckpt-merge tip.ckpt --codec zlib --level 9" "ckpt-restore tip.ckpt --to raw"; do
      mkdir out
      # shellcheck disable=SC2086
      try $signal $command
    done
  done
  if ((round >= 4 && ended > 15 && kept > 0)); then break; fi
done
((ended > 15)) || fail "only $ended were ended by their signal"
((kept > 0)) || fail "no capture of $ended left an unfinished image"

# No input was touched, and what was left by a kill is in nobody's way.
for name in a.raw b.raw base.ckpt tip.ckpt; do cmp $name "$work.sound/$name"; done
mkdir out
timeout -s KILL 0.1 ckpt-merge -q tip.ckpt --codec zlib --level 9 -o out/image || true
ckpt-merge -q tip.ckpt -o out/image
ckpt-verify -q out/image

# A tool that only reads ends as well, and finds nothing wrong with what it had no time to read.
for _ in $(seq 30); do
  for depth in "" --quick; do
    status=0
    # shellcheck disable=SC2086
    timeout -s INT 0.0$((RANDOM % 9 + 1)) ckpt-verify $depth tip.ckpt >findings 2>message || status=$?
    # 124: timeout sent its signal; 0: it was done before.
    [[ $status == 0 || $status == 124 ]] || fail "verify $depth: status $status: $(cat findings message)"
    [[ ! -s findings ]] || fail "verify $depth: $(head -1 findings)"
  done
done

# A pipe that nobody opens from the other end is waited for, until a signal comes.
mkfifo nobody
for signal in INT TERM; do
  for command in "ckpt-capture nobody -o out/fifo" "ckpt-restore tip.ckpt --to raw -o nobody"; do
    status=0
    # shellcheck disable=SC2086
    timeout --preserve-status -s $signal 1 $command 2>message || status=$?
    [[ $status == $((128 + $(kill -l $signal))) ]] || fail "$command: $signal: status $status: $(cat message)"
    grep -q "stopped by signal" message || fail "$command: $signal: $(cat message)"
    [[ ! -e out/fifo ]] || fail "$command: $signal: left a file"
  done
done
rm nobody

# What is ignored from the start stays ignored, as nohup wants it.
status=0
(trap '' HUP && exec ckpt-merge -q tip.ckpt --codec zlib --level 9 -o hup.ckpt) &
sleep 0.1
kill -HUP $!
wait $! || status=$?
[[ $status == 0 ]] || fail "nohup: status $status"
echo "$ended runs ended by a signal, $kept left an unfinished image, round $round"
