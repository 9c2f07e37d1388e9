#!/usr/bin/env bash
# Chains on disk: images moved, renamed, missing, swapped, foreign, merged away, compressed anew.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

raw() { ckpt-restore -q "$1" --to raw -o - "${@:2}" 2>/dev/null; }
field() { ckpt-inspect info --json "$1" | python3 -c "import json,sys; print(json.load(sys.stdin)['image']['$2'])"; }

# Base and ten increments.
for number in 0 1 2 3 4 5 6 7 8 9 10; do
  memory $number.raw 1500 $number
  parent=()
  ((number == 0)) || parent=(--parent $((number - 1)).ckpt)
  ckpt-capture -q --format raw $number.raw -o $number.ckpt "${parent[@]}"
done

# Expiry: the first six are merged and deleted; every younger tip still stands.
mkdir expired
cp ./*.ckpt expired
cd expired
ckpt-merge -q --verify 5.ckpt -o merged.ckpt
rm [0-5].ckpt
for number in 6 7 8 9 10; do
  ckpt-verify -q $number.ckpt
  raw $number.ckpt | cmp - ../$number.raw
done
# Again, with a span in the middle, and the rest under other names in other folders.
ckpt-merge -q 9.ckpt --onto 6.ckpt -o span.ckpt
rm [789].ckpt
mkdir elsewhere
mv merged.ckpt elsewhere/'a name with spaces'
mv 6.ckpt elsewhere/b
expect 2 'checkpoint [0-9a-f]{16}.*--search' ckpt-verify 10.ckpt
expect 2 'checkpoint [0-9a-f]{16}.*--search' ckpt-restore 10.ckpt --to raw -o out
nothing_left out
raw 10.ckpt --search elsewhere | cmp - ../10.raw
ckpt-verify -q 10.ckpt --search elsewhere
cd ..

# What a merge makes has the tip's identity and memory; so has the same, compressed otherwise.
for codec in none zlib zstd; do
  ckpt-merge -q 10.ckpt --codec $codec -o $codec.ckpt
  for name in checkpointID memoryDigest; do
    [[ $(field $codec.ckpt $name) == $(field 10.ckpt $name) ]] || fail "$codec: $name"
  done
  raw $codec.ckpt | cmp - 10.raw
  expect 0 '0 pages differ' ckpt-diff 10.ckpt $codec.ckpt
done
expect 1 'pages differ' ckpt-diff 9.ckpt 10.ckpt

# A merge of one image copies every region; none is decompressed.
copied=$(ckpt-merge 0.ckpt -o again.ckpt 2>&1 | grep merged)
[[ $copied == *" 0 repacked" ]] || fail "regions were expanded: $copied"

# Two images with swapped names: the parent is known by its ID, not by its name.
mkdir swapped
cp [0-3].ckpt swapped
cd swapped
mv 1.ckpt x && mv 2.ckpt 1.ckpt && mv x 2.ckpt
raw 3.ckpt | cmp - ../3.raw
raw 1.ckpt | cmp - ../2.raw
# Another file under the parent's name is not the parent.
rm 1.ckpt
cp 0.ckpt 1.ckpt
expect 2 'checkpoint [0-9a-f]{16}' ckpt-verify 3.ckpt
cd ..

# A tip through standard input finds its parents with --search.
raw - --search . <3.ckpt | cmp - 3.raw
expect 2 'exists already|no ancestor|is no' ckpt-merge 3.ckpt --onto 7.ckpt -o out
expect 2 'image to be merged' ckpt-merge 3.ckpt --onto 3.ckpt -o out
nothing_left out

# Another guest: raw memory on a Xen guest's image, and one Xen guest on another's.
"$root/Fixtures/generate-streams.py" streams
ckpt-capture -q streams/good-hvm-v3.xl -o hvm.ckpt
expect 2 'another kind of guest' ckpt-capture --format raw 1.raw --parent hvm.ckpt -o out
expect 2 '' ckpt-capture streams/good-pv-v3.xl --parent hvm.ckpt -o out
nothing_left out

# A file called - in the folder is not standard input.
mkdir dash
cp 0.ckpt dash/-
ckpt-capture -q --format raw 1.raw --parent dash/- -o dash/1.ckpt
(cd dash && sleep 30 | timeout 20 "$(command -v ckpt-verify)" -q 1.ckpt) || fail "a parent called -"

# A parent that is damaged is found when it is needed.
cp 0.ckpt sound
printf '\377' | dd of=0.ckpt bs=1 seek=50000 conv=notrunc status=none
expect 1 '0.ckpt: byte [0-9]+: ' ckpt-restore 3.ckpt --to raw -o out
expect 1 '0.ckpt: byte [0-9]+: ' ckpt-merge 3.ckpt -o out --codec zlib
nothing_left out
mv sound 0.ckpt

# 300 images: more than may be open at once.
mkdir long
cp 0.ckpt long/0.ckpt
cp 0.raw now.raw
for number in $(seq 1 300); do
  printf '%08d' "$number" | dd of=now.raw bs=1 seek=$((number * 4096 + 8)) conv=notrunc status=none
  ckpt-capture -q --no-sync --format raw now.raw -o "long/$number.ckpt" --parent long/$((number - 1)).ckpt
done
(ulimit -n 80 && ckpt-verify -q long/300.ckpt && raw long/300.ckpt | cmp - now.raw)
# Standard input, which cannot be opened again, is not among those that are closed.
raw - --search long <long/300.ckpt | cmp - now.raw
ckpt-verify -q - --search long <long/300.ckpt
[[ $(ckpt-inspect chain long/300.ckpt | wc -l) == 302 ]] || fail "chain of 301"
echo "chains: 11 images, and 301"
