#!/bin/bash
# evict pv|pvh N [SEED]: a base and N increments, one a second, without the free pages, while the guest takes and frees
# memory all the time, and reads files of an ext4. Of each page that is in an image, Xen's own save of the same pause says
# the same; each that was left out is free by the page descriptors in that save. Then the last image comes back. $OUT
# gets it, that save and the disk: makedumpfile, which dom0 does not have, is to judge them.
set -u
# shellcheck source=Tests/Xen/dom0/guest.sh
. ./guest.sh
type=$1 count=$2 seed=${3:-1} name=evict-$1
folder=/tmp/$name
rm -rf "$folder"
mkdir -p "$folder/oracle"
MEMORY=128
disk "$name" 64
start "$name" "$type" "wl.churn=12 wl.files=24 wl.read=4 wl.seed=$seed" || { bad "$name does not start"; finish; }
known=$(domains)

status=0
ckpt-capture "xen:$name" --evict free -o "$folder/%04d.ckpt" --every 1 --count $((count + 1)) --json \
  --hook-timeout 120 --hook-paused "in-pause $name $folder/oracle" >"$folder/events" || status=$?
check "capture every second" test $status = 0
check "$((count + 1)) images" test "$(find "$folder" -maxdepth 1 -name '*.ckpt' | wc -l)" = $((count + 1))
check "the guest was recognised" test "$(grep -c '"event":"evicted"' "$folder/events")" = $((count + 1))
for image in "$folder"/*.ckpt; do
  without_free_as_the_oracle "$image" "$folder/oracle"
done
tip=$image
check "the chain of ${tip##*/} is sound" ckpt-verify -q "$tip"
stat -c '%s bytes: %n' "$folder"/*.ckpt
ckpt-inspect info "$tip" | sed -n '/^history/,$p'
ckpt-merge -q --force "$tip" -o "$OUT/$name.ckpt"
ckpt-merge -q --force --codec zstd "$(oracle_of "$tip" "$folder/oracle")" -o "$OUT/$name-oracle.ckpt"
gzip -1 <"/tmp/$name.disk" >"$OUT/$name.disk.gz"
unharmed "$name" "$known"

xl destroy "$name"
: >"$(console "$name")"
check "restore its last image" ckpt-restore "$tip" --to xen: --disks-restored
unharmed "$name" "$known"
xl destroy "$name"
losetup -d "$DISK"
rm -rf "$folder" "/tmp/$name.disk"
finish
