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
# one_more WHEN: until another image is there. The next is begun some seconds later: what is done meanwhile falls between
# two pauses. (In a pause xenstored would write to the guest after the copy, and before the oracle.)
one_more() {
  local wanted=$(($(images) + 1))
  until_true 90 enough $wanted
  have_images $wanted || {
    bad "no image after $1"
    cat /tmp/foreign/said
    finish
  }
  echo "-- $1: $(images) images"
}
enough() { have_images "$1" || ! kill -0 "$worker" 2>/dev/null; }

ckpt-capture "xen:$name" --evict none -o /tmp/foreign/%04d.ckpt --every 20 \
  --hook-timeout 120 --hook-paused "in-pause $name /tmp/foreign/oracle" \
  >/tmp/foreign/said 2>&1 &
worker=$!
one_more "nothing"
one_more "nothing more"
check "xl save -c meanwhile" sh -c "xl save -c $name /tmp/save >/dev/null 2>&1"
rm -f /tmp/save
one_more "a foreign save"
check "xl mem-set down" xl mem-set "$name" $((MEMORY - 8))
one_more "ballooning down"
check "xl mem-set up" xl mem-set "$name" "$MEMORY"
one_more "ballooning up"
: >"$(console "$name")"
tell "$name" reboot
until_true 120 said "$name" 'wl: started' 1 || bad "it does not come back from its reboot"
one_more "a reboot"

kill -TERM "$worker"
wait "$worker"
status=$?
check "a signal between two images ends it well" test $status = 0
cat /tmp/foreign/said
for image in /tmp/foreign/*.ckpt; do
  as_the_oracle "$image" /tmp/foreign/oracle
done
check "the chain of ${image##*/} is sound" ckpt-verify -q "$image"
check "after the reboot there is a new base" grep -q 'kind *base' <<<"$(ckpt-inspect info "$image")"
check "the lost dirty log was noticed" grep -q 'switched the dirty log off' /tmp/foreign/said
unharmed "$name" "$known"
finish
