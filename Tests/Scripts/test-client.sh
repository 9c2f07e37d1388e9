#!/usr/bin/env bash
# A program outside this package, which has only what is public, uses each verb of the library; README shows its first
# lines, and it needs no library besides those of the basic product.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

client() {
  swift build --package-path "$root/Tests/Client" --scratch-path "$root/.build/client" "$@"
}
client >log 2>&1 || fail "$(tail log)"
! grep -q 'main.swift.*warning' log || fail "$(grep warning log)"
program=$(client --show-bin-path)/client

mkdir images
expect 0 'every verb does what it says' "$program" images
grep -q '^page 5 is data, its first byte is 7$' output || fail "$(cat output)"
expect 0 '^2 images, .*: sound$' ckpt-verify images/1.ckpt

libraries=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v -e '^libswift' -e '^lib[cm]\.so' \
  -e '^libgcc' -e '^libstdc' -e '^libdispatch' -e '^libBlocks' -e '^lib_*Foundation' -e '^ld-' | sort | tr '\n' ' ')
[[ $libraries == 'libcrypto.so.3 libdeflate.so.0 libz.so.1 libzstd.so.1 ' ]] || fail "needs $libraries"

head -10 "$root/Tests/Client/Sources/client/main.swift" >first
awk '/^```swift$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/README.md" >shown
cmp first shown || fail "README shows other lines than those of the client"

DOCS=1 swift package --package-path "$root" --scratch-path "$root/.build/documentation" --disable-sandbox \
  generate-documentation --target VMCheckpoint --warnings-as-errors >log 2>&1 || fail "$(tail log)"
