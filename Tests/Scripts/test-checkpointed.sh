#!/usr/bin/env bash
# Real checkpointed streams, as a user meets them: Xen's own verifier takes the export of every moment, a stream that
# breaks off leaves the moments that were whole, and names are asked for. What each moment holds is compared in
# test-sources.sh.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

zstd -dc --long=30 "$root/Fixtures/checkpointed-64.tar.zst" | tar -x
for stream in pv-64/remus.stream pvh-64/epochs.stream; do
  name=${stream%-64*}
  ckpt-capture -q "$stream" -o "$name-%02d.ckpt"
  [[ $(echo "$name"-*.ckpt | wc -w) == 5 ]] || fail "$stream: $(echo "$name"-*.ckpt)"
  expect 0 '^5 images.*: sound' ckpt-verify "$name-04.ckpt"
  for epoch in 0 1 2 3 4; do
    ckpt-restore -q "$name-0$epoch.ckpt" --to libxc -o export --force
    ckpt-capture -q export -o again.ckpt --force
    [[ $(ckpt-inspect digest again.ckpt) == "$(ckpt-inspect digest "$name-0$epoch.ckpt")" ]] ||
      fail "$stream: memory of moment $epoch"
    status=0
    "$root/Tests/Oracle/xen-verifier" export libxc >message 2>&1 || status=$?
    case $status in
    0) ;;
    77) echo "note: Xen's verifier is not available: $(tail -1 message)" ;;
    *) fail "Xen's verifier refuses $stream, moment $epoch: $(tail -1 message)" ;;
    esac
  done
  ckpt-merge -q "$name-04.ckpt" -o merged.ckpt --force
  ckpt-restore -q merged.ckpt --to libxc -o merged --force
  cmp merged export || fail "$stream: merged"
done

# One file has no room for several moments.
expect 2 "checkpointed stream of several moments; name the images" \
  ckpt-capture pv-64/remus.stream -o single.ckpt
nothing_left single.ckpt
# A moment that is not whole is left out; the first one cannot be.
head -c 76900000 pv-64/remus.stream >cut.stream
expect 0 'warning: the last moment is left out: cut.stream: byte [0-9]+: ' \
  ckpt-capture cut.stream -o 'cut-%d.ckpt'
[[ $(echo cut-*.ckpt) == "cut-0.ckpt cut-1.ckpt cut-2.ckpt cut-3.ckpt" ]] || fail "$(echo cut-*)"
cmp <(ckpt-restore cut-3.ckpt --to raw -o -) <(ckpt-restore pv-03.ckpt --to raw -o -) ||
  fail "the last whole moment of the cut stream"
# So it is where the stream came out of an archive, and the archive was cut.
tar c pv-64/remus.stream | zstd -q >whole.tar.zst
head -c $(($(stat -c %s whole.tar.zst) - 20000)) whole.tar.zst >broken.tar.zst
expect 0 'warning: the last moment is left out: broken.tar.zst: ' \
  ckpt-capture broken.tar.zst -o 'archived-%d.ckpt'
[[ $(echo archived-*.ckpt | wc -w) == 4 ]] || fail "$(echo archived-*)"
head -c 5000000 pv-64/remus.stream >cut.stream
expect 1 'the input ends' ckpt-capture cut.stream -o 'none-%d.ckpt'
[[ ! -e none-0.ckpt ]] || fail "an image of a moment that was not whole"
# An increment on an older image, of a stream.
ckpt-capture -q pv-64/remus.stream -o 'on-%d.ckpt' --parent pv-00.ckpt
expect 0 '^6 images.*: sound' ckpt-verify on-4.ckpt
expect 2 'source of one moment' ckpt-capture pvh-64/epochs.stream --hash-source -o 'h-%d.ckpt'
expect 0 'checkpointID' ckpt-capture --json pvh-64/epochs.stream -o 'j-%d.ckpt'
python3 -c 'import json; assert [i["file"] for i in json.load(open("output"))] == [f"j-{n}.ckpt" for n in range(5)]'
