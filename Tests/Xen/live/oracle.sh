#!/bin/bash
# oracle pv|pvh N: a base and N increments, one a second, while the guest works; each is what Xen's own save of the same
# pause is. They stay in /tmp/TYPE for the parts that follow.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 count=$2 name=$1
have "$name" "$type"
rm -rf "/tmp/$type"
mkdir -p "/tmp/$type/oracle"
before=$(pages "$name")

check "capture every second" ckpt-capture "xen:$name" --evict none -o "/tmp/$type/%04d.ckpt" \
  --every 1 --count $((count + 1)) --hook-timeout 120 --hook-paused "in-pause $name /tmp/$type/oracle"
check "$((count + 1)) images" test "$(find "/tmp/$type" -maxdepth 1 -name '*.ckpt' | wc -l)" = $((count + 1))
for image in "/tmp/$type"/*.ckpt; do
  as_the_oracle "$image" "/tmp/$type/oracle"
done
tip=$image
check "the chain of ${tip##*/} is sound" ckpt-verify -q "$tip"
check "it is a chain of $((count + 1))" grep -q "\"images\" : $((count + 1))," <<<"$(ckpt-verify --json "$tip")"
check "the guest has as many pages as before" test "$(pages "$name")" = "$before"
stat -c '%s bytes: %n' "/tmp/$type"/*.ckpt
ckpt-inspect info "$tip" | sed -n '/^history/,$p'
unharmed "$name" "$known"
finish
