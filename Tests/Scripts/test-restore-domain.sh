#!/usr/bin/env bash
# What ckpt-restore --to xen: refuses before it looks for a hypervisor: images that no guest could go on from, disks
# that would be destroyed, configurations that do not fit. That it works is tested on Xen (Tests/Xen/restore-live).
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

zstd -dc --long=30 "$root/Fixtures/xen-64.tar.zst" | tar -x pv-64/save-1
ckpt-capture -q pv-64/save-1 -o pv.ckpt
status=0
ckpt-restore pv.ckpt --to xen: --name vmckpt-nowhere 2>message || status=$?
if grep -q 'built without' message; then
  [[ $status == 2 ]] || fail "built without Xen's libraries: status $status"
  echo "skipped: the tools were built without Xen's libraries, and say so"
  exit 77
fi

# changed FIELD VALUE NAME: the image with another field in its history.
ckpt-inspect decode pv.ckpt >image.json
changed() {
  jq --arg key "$1" --arg value "$2" \
    'map(if .Provenance then .Provenance += [{Key: $key, Value: $value}] else . end)' image.json |
    ckpt-inspect encode -q - --force -o "$3"
}
# configured FILTER NAME: the configuration that the image has, changed.
ckpt-inspect records pv.ckpt --record 1 --raw | tr -d '\0' >kept.json
configured() { jq "$1" kept.json >"$2"; }
refused() { expect 2 "$1" ckpt-restore --to xen: "${@:2}"; }

changed restorable no memory.ckpt
refused 'memory.ckpt: .*for analysis' memory.ckpt
refused 'left out \([0-9]+ [a-zA-Z, 0-9]*\)' "$root/Fixtures/vectors/all-evicted.ckpt"
head -c 9000000 pv.ckpt >cut.ckpt
ckpt-verify -q --salvage salvaged.ckpt cut.ckpt >lost || [[ $? == 1 ]] || fail "no salvage"
refused 'was salvaged' salvaged.ckpt
ckpt-restore -q pv.ckpt --to raw -o plain
ckpt-capture -q --format raw plain -o plain.ckpt
refused 'plain.ckpt: .*not captured from a guest of Xen' plain.ckpt
ckpt-restore -q pv.ckpt --to libxl -o stream
ckpt-capture -q stream -o bare.ckpt
refused 'has no domain configuration that xl reads; give one with --config' bare.ckpt

configured '.disks = [{vdev: "xvda", readwrite: 1}, {vdev: "xvdb"}]' disks.json
refused 'can write to its disk xvda; put back the contents of the moment' pv.ckpt --config disks.json
changed hook.snapshot vg/root-17 hooked.ckpt
refused 'put back the snapshot that was made .*\(vg/root-17\), then give --disks-restored' \
  hooked.ckpt --config disks.json
configured '.c_info.type = "pvh"' pvh.json
refused 'configuration of a pvh guest' pv.ckpt --config pvh.json
configured 'del(.c_info.name)' nameless.json
refused 'has no name; give one with --name' pv.ckpt --config nameless.json
configured '.c_info.name = "../../etc/x"' slash.json
refused 'is no name for a domain' pv.ckpt --config slash.json
name=$(jq -r .c_info.name kept.json)
refused 'a clone needs a name of its own' pv.ckpt --clone --name "$name"
refused 'is no name for a domain' pv.ckpt --name 17
expect 64 'needs --name' ckpt-restore --to xen: pv.ckpt --clone
expect 64 'makes a domain, not a file' ckpt-restore --to xen: pv.ckpt -o file
expect 64 'need --to xen:' ckpt-restore --to xl pv.ckpt -o file --paused
expect 64 'FILE is missing' ckpt-restore --to xl pv.ckpt

# What is not refused fails here for want of Xen, in words that say so.
if [[ ! -e /proc/xen/privcmd && ! -e /dev/xen/privcmd ]]; then
  refused 'cannot reach the hypervisor' pv.ckpt
  refused 'cannot reach the hypervisor' pv.ckpt --config disks.json --disks-restored
  refused 'cannot reach the hypervisor' pv.ckpt --config disks.json --clone --name another
fi
