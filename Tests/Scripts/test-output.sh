#!/usr/bin/env bash
# Where output goes: full disks, closed pipes, existing files, folders. Nothing half written is left under
# a final name, and the message says what happened.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

memory a.raw 3000 1
memory b.raw 3000 2
ckpt-capture -q --format raw a.raw -o base.ckpt
ckpt-capture -q --format raw b.raw --parent base.ckpt -o tip.ckpt

pipes=()
# Each way to write: a command line up to the name of its output.
writers=(
  "ckpt-capture --format raw a.raw -o"
  "ckpt-capture --format raw b.raw --parent base.ckpt -o"
  "ckpt-merge tip.ckpt -o"
  "ckpt-merge --verify tip.ckpt -o"
  "ckpt-restore tip.ckpt --to raw -o"
)

for writer in "${writers[@]}"; do
  # What is to be read back cannot go into a pipe.
  [[ $writer == *--verify* ]] || pipes+=("$writer")
done

full() {
  mkdir -p small
  mount -t tmpfs -o size=128k tmpfs small
  for writer in "${writers[@]}"; do
    # shellcheck disable=SC2086
    expect 2 'small/out: (byte [0-9]+: )?cannot (write|set the length|sync).*No space left' $writer small/out
    nothing_left small/out
  done
}
if ((EUID == 0)) && unshare -m true 2>/dev/null; then
  export -f full expect fail nothing_left
  declare -p writers >list
  unshare -m bash -euc '. ./list; full'
  echo "full file system: ${#writers[@]} ways to write"
else
  echo "note: no file system can be mounted here; only /dev/full is tried"
fi

for writer in "${pipes[@]}"; do
  # shellcheck disable=SC2086
  {
    expect 2 'No space left' $writer /dev/full
    expect 2 'is a directory' $writer .
    expect 2 'No such file or directory' $writer missing/out
    echo precious >out
    expect 2 'exists already.*--force' $writer out
    grep -q precious out || fail "$writer: touched an existing file"
    $writer out -q --force
    grep -q precious out && fail "$writer: --force did not replace"
    rm out
    # Into a pipe, the same bytes as into a file: an image differs in its provenance and capture ID.
    $writer - -q >piped
    $writer out -q
    [[ $(stat -c %s piped) -gt 100000 ]] || fail "$writer: a pipe gets $(stat -c %s piped) bytes"
    case $writer in
      *restore*) cmp out piped ;;
      *) expect 0 '' ckpt-diff out piped --search . ;;
    esac
    rm out piped
  }
done

# A reader that closes the pipe.
for writer in "${pipes[@]}"; do
  # shellcheck disable=SC2086
  { $writer - 2>message && echo 0 >status || echo $? >status; } | head -c 1000 >/dev/null
  status=$(cat status)
  [[ $status == 2 || $status == 141 ]] || fail "$writer: status $status on a closed pipe: $(cat message)"
done
for listing in "ckpt-diff base.ckpt tip.ckpt" "ckpt-inspect info tip.ckpt"; do
  { $listing 2>message && echo 0 >status || echo $? >status; } | true
  status=$(cat status)
  [[ $status -le 2 || $status == 141 ]] || fail "$listing: status $status on a closed pipe"
  grep -qi fatal message && fail "$listing: $(cat message)"
done

# Who has read enough of a listing, as head, is no error to complain of.
for listing in "ckpt-inspect map --json tip.ckpt" "ckpt-inspect map tip.ckpt" "ckpt-inspect info tip.ckpt" \
  "ckpt-diff base.ckpt tip.ckpt"; do
  (
    set +e
    sleep 0.2
    $listing 2>message
    echo $? >status
  ) | true
  [[ $(cat status) == 141 && ! -s message ]] || fail "$listing: status $(cat status) on a closed pipe: $(cat message)"
done

# An image that the output needs is not replaced by it, under whatever name.
ln -s base.ckpt link.ckpt
cp base.ckpt copy.ckpt
for name in base.ckpt link.ckpt; do
  expect 2 'would replace this image' \
    ckpt-capture --format raw b.raw --parent tip.ckpt -o $name --force
  expect 2 'would replace this image' ckpt-merge tip.ckpt --onto base.ckpt -o $name --force
  expect 2 'would replace this image' ckpt-restore tip.ckpt --to raw -o $name --force
  expect 2 'would replace this image' ckpt-inspect map tip.ckpt --png $name --force
  expect 2 'would replace this image' ckpt-diff tip.ckpt tip.ckpt --svg $name --force
done
# A limit on the size of files is an error as a full disk is.
(ulimit -f 4 && expect 2 'File too large' ckpt-capture --format raw b.raw -o limited.ckpt)
nothing_left limited.ckpt
cmp base.ckpt copy.ckpt
rm link.ckpt copy.ckpt
# The tip itself may be: what takes its place names the same moment.
cp tip.ckpt copy.ckpt
ckpt-merge -q copy.ckpt -o copy.ckpt --force
expect 0 '' ckpt-diff copy.ckpt tip.ckpt

# With standard output and error closed, no message gets into the file.
ckpt-capture --format raw a.raw -o closed.ckpt >&- 2>&-
ckpt-verify -q closed.ckpt
ckpt-merge --json tip.ckpt -o closed.ckpt --force <&- >&- 2>&- || true
ckpt-verify -q closed.ckpt
# And what should have gone there is not lost without a word.
status=0
ckpt-restore tip.ckpt --to raw -o - >&- 2>message || status=$?
[[ $status == 2 ]] || fail "restore to a closed standard output: status $status"

# A guest's memory is for its owner's eyes.
[[ $(stat -c %a closed.ckpt) == 600 ]] || fail "mode $(stat -c %a closed.ckpt)"

# A name of 250 bytes is good; one that is not UTF-8 is refused, not changed.
long=$(printf 'n%.0s' {1..250})
ckpt-merge -q tip.ckpt -o "$long"
expect 64 'not UTF-8' ckpt-merge -q tip.ckpt -o $'bad\xff'
[[ -z $(find . -name 'bad*') ]] || fail "$(find . -name 'bad*')"

for command in "info tip.ckpt" "chain tip.ckpt"; do
  # shellcheck disable=SC2086
  ckpt-inspect $command --json | python3 -m json.tool >/dev/null
done
ckpt-verify tip.ckpt --json | python3 -m json.tool >/dev/null
(ckpt-diff base.ckpt tip.ckpt --json || true) | python3 -m json.tool >/dev/null
ckpt-merge tip.ckpt -o m.ckpt --json | python3 -m json.tool >/dev/null
ckpt-capture --format raw a.raw -o c.ckpt --json | python3 -m json.tool >/dev/null
echo "output: ${#writers[@]} ways to write"
