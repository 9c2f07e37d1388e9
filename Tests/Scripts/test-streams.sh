#!/usr/bin/env bash
# Synthetic xl save files, good and bad: what goes in comes back, and Xen's own verifier and an
# independent applier agree; each defect is refused with its place named.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
state() { python3 "$root/Tests/Oracle/flatten-stream.py" --digest "$@"; }

xen=1
# accepted FILE FORMAT: Xen's verifier takes it. It rejects, unlike Xen itself, optional records,
# and a xenstore record that is not empty.
accepted() {
  [ "$xen" = 1 ] || return 0
  local status=0
  "$root/Tests/Oracle/xen-verifier" "$1" "$2" >"$work/verifier" 2>&1 || status=$?
  if [ $status = 77 ]; then
    xen=0
    echo "note: Xen's verifier is not available: $(tail -1 "$work/verifier")"
  elif [ $status != 0 ]; then
    fail "Xen's verifier refuses $1 as $2: $(tail -1 "$work/verifier")"
  fi
}

"$root/Fixtures/generate-streams.py" "$work/in"

for source in "$work"/in/good-*.xl "$work"/in/repeat-*.xl; do
  name=$(basename "$source" .xl)
  ckpt-capture -q "$source" -o "$work/a.ckpt" --force
  ckpt-verify -q "$work/a.ckpt" || fail "$name: verify"
  ckpt-merge -q "$work/a.ckpt" -o "$work/merged.ckpt" --force
  for image in a merged; do
    ckpt-restore -q "$work/$image.ckpt" --to xl -o "$work/out.xl" --force
    case $name in
    good-*) cmp "$source" "$work/out.xl" || fail "$name: $image image's export differs" ;;
    *) [ "$(state "$source")" = "$(state "$work/out.xl")" ] || fail "$name: state differs" ;;
    esac
  done
  case $name in
  # PFNs that Xen's verifier, the xenstore record or the empty record list would trip over.
  *optional* | *padding* | *device-model | *reserved-word | *highest*) ;;
  *) for format in xl libxl libxc; do
    ckpt-restore -q "$work/a.ckpt" --to $format -o "$work/out.$format" --force
    accepted "$work/out.$format" $format
  done ;;
  esac
done

for kind in hvm pv; do
  for number in 0 1 2 3 4; do
    parent=()
    [ $number = 0 ] || parent=(--parent "$work/$kind-$((number - 1)).ckpt")
    ckpt-capture -q "$work/in/chain-$kind-$number.xl" -o "$work/$kind-$number.ckpt" "${parent[@]}"
  done
  for number in 0 1 2 3 4; do
    ckpt-verify -q "$work/$kind-$number.ckpt"
    ckpt-restore "$work/$kind-$number.ckpt" --to xl -o - |
      cmp - "$work/in/chain-$kind-$number.xl" || fail "chain $kind $number"
  done
  pages=$(ckpt-inspect info --json "$work/$kind-4.ckpt" |
    python3 -c 'import json,sys; print(json.load(sys.stdin)["image"]["pages"])')
  [[ $pages == *"'unpopulated': 1"* && $pages == *"'zero': 1"* ]] || fail "increment $kind holds $pages"
done

refused=0
for source in "$work"/in/bad-*.xl; do
  name=$(basename "$source")
  status=0
  ckpt-capture "$source" -o "$work/bad.ckpt" 2>"$work/message" || status=$?
  [ $status = 1 ] || [ $status = 2 ] || fail "$name: status $status: $(cat "$work/message")"
  grep -q "$name: byte [0-9]*: " "$work/message" || fail "$name: no place in: $(cat "$work/message")"
  [ ! -e "$work/bad.ckpt" ] || fail "$name: left an image"
  refused=$((refused + 1))
done
[ $refused -gt 50 ] || fail "only $refused defects were tried"
echo "$refused defects refused"
