#!/bin/bash
# foreign pv|pvh: between two images of a series another save switches the dirty log off, the guest is ballooned down and
# up, and it reboots. The images after each are right.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 name=$1
have "$name" "$type"
rm -rf /tmp/foreign
mkdir -p /tmp/foreign/oracle
images() { find /tmp/foreign -maxdepth 1 -name '*.ckpt' | wc -l; }
have_images() { [ "$(images)" -ge "$1" ]; }
# two_more: until two more images are there: the second began after what has just happened.
two_more() {
  until_true 180 have_images $(($(images) + 2)) || bad "no images after $1: $(cat /tmp/foreign/said)"
  echo "-- $1: $(images) images"
}

ckpt-capture "xen:$name" -o /tmp/foreign/%04d.ckpt --every 2 --hook-timeout 120 --hook-paused "in-pause $name /tmp/foreign/oracle" \
  >/tmp/foreign/said 2>&1 &
worker=$!
two_more "its beginning"
check "xl save -c meanwhile" xl save -c "$name" /tmp/save >/dev/null 2>&1
rm -f /tmp/save
two_more "a foreign save"
check "xl mem-set down" xl mem-set "$name" $((MEMORY - 8))
two_more "ballooning down"
check "xl mem-set up" xl mem-set "$name" "$MEMORY"
two_more "ballooning up"
: >"$(console "$name")"
tell "$name" reboot
until_true 120 said "$name" 'wl: started' 1 || bad "it does not come back from its reboot"
two_more "a reboot"

kill -TERM "$worker"
wait "$worker"
status=$?
check "a signal ends it well" test $status = 0
cat /tmp/foreign/said
for image in /tmp/foreign/*.ckpt; do
  as_the_oracle "$image" /tmp/foreign/oracle
done
check "the chain of ${image##*/} is sound" ckpt-verify -q "$image"
check "after the reboot there is a new base" test "$(ckpt-inspect info /tmp/foreign/*.ckpt | grep -c 'kind *base')" = 2
unharmed "$name" 2
finish
