#!/usr/bin/env bash
# Without the package trait Xen the tools need none of Xen's libraries, and say so when they are asked for a domain.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

build() {
  swift build --package-path "$root" --scratch-path "$root/.build/without-xen" --disable-default-traits "$@"
}
for tool in ckpt-capture ckpt-restore; do
  build --product $tool >log 2>&1 || fail "$(tail log)"
done
PATH=$(build --show-bin-path):$PATH

cp "$root/Fixtures/vectors/codec-zstd.ckpt" image.ckpt
for tool in ckpt-capture ckpt-restore; do
  ! ldd "$(command -v $tool)" | grep -i xen || fail "$tool needs a library of Xen"
done
expect 2 'built without Xen' ckpt-capture xen:web -o web.ckpt
nothing_left web.ckpt
expect 2 'built without Xen' ckpt-capture --recover
expect 2 'built without Xen' ckpt-restore image.ckpt --to xen:
