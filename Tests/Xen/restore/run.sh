# Restores every save file of the folder and asks its guest to check its memory. Runs in dom0.
set -u
log=/var/log/xen/console/guest-g.log
tick() { grep -o 'wl: tick [0-9]*' "$log" | tail -1 | cut -d' ' -f3; }
# wait_for PATTERN COUNT: until the guest has said so that many times
wait_for() {
  local i
  for i in $(seq 1 100); do
    [ "$(grep -c "$1" "$log")" -ge "$2" ] && return 0
    sleep 0.3
  done
  return 1
}
failed=0
for file in *.xl.gz; do
  name=${file%.xl.gz}
  gunzip -c "$file" >/tmp/save
  : >"$log"
  if ! xl restore /tmp/save; then
    echo "RESULT $name: refused"
    failed=1
    continue
  fi
  wait_for 'wl: tick' 2
  first=$(tick)
  wait_for 'wl: tick' 4
  echo check >"$(xenstore-read "/local/domain/$(xl domid g)/console/tty")"
  wait_for 'wl: check' 1
  answer=$(grep -o 'wl: check.*' "$log" | tail -1 | tr -d '\r')
  if [ "${first:-0}" -lt "$(tick)" ] && [[ $answer == *" ok "* ]]; then
    echo "RESULT $name: runs, $answer"
  else
    echo "RESULT $name: does not run: ticks ${first:-none} to $(tick), $answer"
    tail -5 "$log"
    failed=1
  fi
  xl destroy g
done
exit $failed
