#!/usr/bin/env bash
# The tools against a reader and a writer that were made from the specification alone, in another language:
# both read what the other writes; a hundred odd and hostile images are judged rightly and break no tool.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
oracle=$root/Tests/Oracle
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# agree TIP ANCESTOR...: the reader finds nothing, and the same moment as the tools.
agree() {
  python3 "$oracle/read-image.py" "$@" >reading || fail "the reader: $1"
  ckpt-inspect "$1" --json >info
  for pair in checkpoint_id:checkpointID memory_digest:memoryDigest; do
    [[ $(tail -1 reading | field ${pair%:*}) == $(python3 -c '
import json, sys
print(json.load(open("info"))["image"][sys.argv[1]])' ${pair#*:}) ]] || fail "$1: ${pair#*:}"
  done
}

# What the tools write, read by the reader.
zstd -dcq --long=30 "$root/Fixtures/xen-64.tar.zst" | tar x
for guest in pv pvh; do
  ckpt-capture -q $guest-64/save-1 -o $guest-1.ckpt
  ckpt-capture -q $guest-64/save-2 -o $guest-2.ckpt --parent $guest-1.ckpt --codec zlib
  ckpt-capture -q $guest-64/save-3 -o $guest-3.ckpt --parent $guest-2.ckpt
  ckpt-merge -q $guest-3.ckpt -o $guest-merged.ckpt
  ckpt-merge -q $guest-3.ckpt --onto $guest-1.ckpt -o $guest-span.ckpt
  agree $guest-3.ckpt $guest-2.ckpt $guest-1.ckpt
  sum=$(tail -1 reading | field sha256)
  agree $guest-merged.ckpt
  [[ $(tail -1 reading | field sha256) == "$sum" ]] || fail "$guest: the merged memory is another"
  agree $guest-span.ckpt $guest-1.ckpt
  [[ $(tail -1 reading | field sha256) == "$sum" ]] || fail "$guest: the memory over a span is another"
done

# What the writer writes, read by the tools.
mkdir written
"$oracle/write_image.py" written
ckpt-verify -q written/next.ckpt
agree written/next.ckpt written/base.ckpt

# Odd and hostile images.
"$oracle/hostile-images.py" hostile
good=0
bad=0
for image in hostile/*.ckpt; do
  name=${image#hostile/}
  status=0
  (ulimit -v 4000000 && timeout 60 ckpt-verify "$image") >output 2>message || status=$?
  case $name in
    bad-*)
      [[ $status == 1 || $status == 2 ]] || fail "$name: verify: status $status"
      # In a cycle, which of the files is found wrong depends on where one begins.
      [[ $name != bad-cycle-* ]] || grep -q "the chain comes back to" output || fail "$name: $(cat output)"
      grep -qE "^(ckpt-verify: .*: )?(${image%-?.ckpt}|${image%.ckpt})" output message ||
        fail "$name: no file in: $(cat output message)"
      bad=$((bad + 1))
      ;;
    *)
      [[ $status == 0 ]] || fail "$name: verify: status $status: $(cat output message)"
      good=$((good + 1))
      ;;
  esac
  for command in "ckpt-restore --to raw -o out --force" "ckpt-restore --to xl -o out --force" "ckpt-inspect chain" \
    "ckpt-restore --to libxc -o out --force" "ckpt-merge --verify -o merged --force" "ckpt-diff hostile/parent.ckpt"; do
    status=0
    # shellcheck disable=SC2086
    (ulimit -v 4000000 && timeout 60 $command "$image") >output 2>message || status=$?
    ((status <= 2)) || fail "$name: $command: status $status: $(head -3 message)"
    if [[ $command == ckpt-merge* ]]; then
      # What is sound can be merged, and what comes of a merge is sound.
      [[ $name == bad-* || $status == 0 ]] || fail "$name: $command: $(head -3 message)"
      ((status)) || ckpt-verify -q merged || fail "$name: merged"
    fi
    [[ -z $(find . -name '.*.partial') ]] || fail "$name: $command: left $(find . -name '.*.partial')"
  done
  # The reader judges each file by itself; it does not try layouts out, nor take extents of 2^52 pages.
  case $name in
    bad-layout-* | good-everything-unpopulated.ckpt) continue ;;
  esac
  status=0
  python3 "$oracle/read-image.py" "$image" >/dev/null 2>&1 ||
    python3 "$oracle/read-image.py" "$image" hostile/parent.ckpt >/dev/null 2>message || status=$?
  case $name:$status in
    bad-*:1 | [!b]*:0) ;;
    *) fail "$name: the reader: status $status: $(cat message)" ;;
  esac
done
((good > 20 && bad > 60)) || fail "only $good good and $bad bad images"
echo "$good odd images are sound, $bad hostile ones are not"
