#!/usr/bin/env bash
# Shows the tools on three save files of one small Xen guest. BIN is the folder of the tools.
# Every line after a $ is a command that is run; any surprise ends the demonstration with an error.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${BIN:-$root/.build/release}
fixture=${FIXTURE:-$root/Fixtures/xen-64.tar.zst}

fail() {
  echo "demo: $1" >&2
  exit 2
}
[[ -x $BIN/ckpt-capture ]] || fail "no tools in $BIN: make build"
[[ -r $fixture ]] || fail "cannot read $fixture"
command -v zstd >/dev/null || fail "zstd is not installed: .ci/install"
PATH=$(cd "$BIN" && pwd):$PATH

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$folder"

say() { printf '\n# %s\n' "$*"; }
run() {
  echo "\$ $*"
  "$@" 2>&1
}
# Runs a command whose answer must be no: status 1. Shows the first lines of what it says.
run_no() {
  local status=0
  echo "\$ $*"
  "$@" >answer 2>summary || status=$?
  ((status == 1)) || fail "status $status, expected 1: $(cat summary)"
  sed -n 1,5p answer
  if (($(wc -l <answer) > 5)); then echo "... $(wc -l <answer) lines"; fi
  cat summary
}
same() {
  run cmp "$1" "$2"
  echo "the same, byte for byte"
}

say "Three save files of a Xen guest with 64 MiB, written by xl save one after another"
zstd -dcq --long=30 "$fixture" | tar x pv-64/save-1 pv-64/save-2 pv-64/save-3
mv pv-64/save-* .
run wc -c save-1 save-2 save-3

say "A base, and two increments that hold only what changed"
run ckpt-capture save-1 -o base.ckpt
run ckpt-capture save-2 --parent base.ckpt -o inc-1.ckpt
run ckpt-capture save-3 --parent inc-1.ckpt -o inc-2.ckpt
run ckpt-inspect chain inc-2.ckpt

say "What changed between the second moment and the third"
run_no ckpt-diff inc-1.ckpt inc-2.ckpt

say "The chain as one image: the same moment, and it needs no other file"
run ckpt-merge inc-2.ckpt --verify -o merged.ckpt
run ckpt-diff inc-2.ckpt merged.ckpt

say "Every byte of every image is checked"
run ckpt-verify inc-2.ckpt
run ckpt-verify merged.ckpt

say "One flipped bit is found"
cp base.ckpt damaged.ckpt
# The byte that is there, with its lowest bit turned over.
byte=$(od -An -tu1 -j 1000000 -N 1 base.ckpt)
# shellcheck disable=SC2059
printf "\\$(printf %03o $((byte ^ 1)))" | dd of=damaged.ckpt bs=1 seek=1000000 conv=notrunc status=none
run_no ckpt-verify damaged.ckpt
rm damaged.ckpt

say "Back to files for xl restore, from the chain and from the merged image"
run ckpt-restore inc-2.ckpt --to xl -o restored-3
same restored-3 save-3
run ckpt-restore inc-1.ckpt --to xl -o restored-2
same restored-2 save-2
run ckpt-restore merged.ckpt --to xl -o restored-merged
same restored-merged save-3

say "Plain memory, for tools that read that"
run ckpt-restore inc-2.ckpt --to raw -o memory.raw
run ckpt-capture memory.raw --format raw -o memory.ckpt
run ckpt-restore memory.ckpt --to raw -o memory-again.raw
same memory-again.raw memory.raw

say "Sizes"
size() { wc -c <"$1"; }
row() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "%-26s %12d %8.1f %%\n", n, a, 100 * a / b }'; }
whole=$(size save-1)
saves=$((whole + $(size save-2) + $(size save-3)))
images=$(($(size base.ckpt) + $(size inc-1.ckpt) + $(size inc-2.ckpt)))
printf '%-26s %12s %10s\n' file bytes 'of source'
for pair in base.ckpt:save-1 inc-1.ckpt:save-2 inc-2.ckpt:save-3 merged.ckpt:save-3; do
  row "${pair%:*}" "$(size "${pair%:*}")" "$(size "${pair#*:}")"
done
row 'three images together' "$images" "$saves"
row 'three save files' "$saves" "$saves"
