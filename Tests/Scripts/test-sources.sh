#!/usr/bin/env bash
# Every kind of Xen's streams as a source, against an applier that shares no code with the tools: each export of each
# moment, of the chain and of a merge, leaves a guest in the state that the source does; what cannot be
# expressed is refused.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
flatten() { python3 "$root/Tests/Oracle/flatten-stream.py" "$@"; }
echo '{"c_info":{"name":"tiny"}}' >config.json

# exported IMAGE FORMAT: into "out"; the status.
exported() {
  local status=0 config=()
  [[ $2 != xl ]] || config=(--config config.json)
  ckpt-restore -q "$1" --to "$2" "${config[@]}" -o out --force 2>message || status=$?
  ((status == 0 || status == 2)) || fail "$1 as $2: status $status: $(head -1 message)"
  return $status
}
"$root/Fixtures/generate-streams.py" streams
exports=0
for source in streams/{good,repeat}-*.{libxc,libxl,libvirt,xenserver}; do
  name=${source#streams/} from=${source##*.}
  ckpt-capture -q "$source" -o a.ckpt --force
  ckpt-verify -q a.ckpt || fail "$name: verify"
  ckpt-merge -q a.ckpt -o merged.ckpt --force
  # The state as exports keep it: that of the libxc stream, or of the libxl stream where there is one.
  declare -A state=([libxc]=$(flatten --digest --of libxc "$source") [libxl]=$(flatten --digest --of libxl "$source"))
  for to in libxc libxl xl libvirt xenserver; do
    # Section 19 of the specification: what can be exported as what.
    case $from:$to:$name in
      xenserver:xl:*device-model* | xenserver:libxl:*device-model* | xenserver:*l:*vgpu* | xenserver:*l:*live*) wanted=2 ;;
      libvirt:libvirt:* | xenserver:xenserver:* | *:libxc:* | *:libxl:* | *:xl:*) wanted=0 ;;
      *) wanted=2 ;;
    esac
    status=0
    exported a.ckpt $to || status=$?
    [[ $status == "$wanted" ]] || fail "$name as $to: status $status, expected $wanted: $(head -1 message)"
    ((status == 0)) || continue
    part=libxl
    [[ $from != libxc && $from != xenserver && $to != libxc ]] || part=libxc
    [[ ${state[$part]} == "$(flatten --digest --of "$part" out)" ]] || fail "$name as $to: another state"
    [[ $from != "$to" || $name == repeat-* ]] || cmp "$source" out || fail "$name is not written back as it was"
    mv out before
    exported merged.ckpt $to || fail "$name, merged, as $to: $(head -1 message)"
    cmp before out || fail "$name as $to: a merge changes the export"
    exports=$((exports + 1))
  done
done

# moments SOURCE NUMBER: the moments of a checkpointed stream, from its chain and merged.
moments() {
  local source=$1 number part=libxc epoch to wanted
  [[ $(flatten --moments "$source") == "$2" ]] || fail "$source: the applier finds $(flatten --moments "$source") moments"
  rm -f m-*.ckpt
  ckpt-capture -q "$source" -o 'm-%d.ckpt' 2>message || fail "$source: $(cat message)"
  number=$(find . -maxdepth 1 -name 'm-*.ckpt' | wc -l)
  [[ $number == "$2" ]] || fail "$source: $number images, expected $2"
  [[ $(head -c 8 "$source") != LibxlFmt ]] || part=libxl
  ckpt-verify -q "m-$(($2 - 1)).ckpt" || fail "$source: verify"
  # Debian's own python3 has python3-zstandard.
  /usr/bin/python3 "$root/Spec/read_image.py" "m-$(($2 - 1)).ckpt" >reading || fail "$source: the reader: $(cat reading)"
  for ((epoch = 0; epoch < $2; epoch++)); do
    for to in libxc libxl; do
      exported m-$epoch.ckpt $to || fail "$source: moment $epoch as $to: $(head -1 message)"
      [[ $to == libxc ]] && wanted=libxc || wanted=$part
      [[ $(flatten --digest --of "$wanted" --epoch $epoch "$source") == "$(flatten --digest --of "$wanted" out)" ]] ||
        fail "$source: moment $epoch as $to: another state"
      exports=$((exports + 1))
    done
    mv out before
    ckpt-merge -q "m-$epoch.ckpt" -o merged.ckpt --force
    exported merged.ckpt libxl || fail "$source: moment $epoch, merged: $(head -1 message)"
    cmp before out || fail "$source: moment $epoch: a merge changes the export"
  done
}
for source in streams/moments-*; do
  number=${source#streams/moments-}
  moments "$source" "${number%%-*}"
done
zstd -dc --long=30 "$root/Fixtures/checkpointed-64.tar.zst" | tar x
moments pv-64/remus.stream 5
moments pvh-64/epochs.stream 5

refused=0
for source in streams/bad-*.{libxc,libxl,libvirt,xenserver}; do
  status=0
  ckpt-capture "$source" -o bad.ckpt 2>message || status=$?
  ((status == 1 || status == 2)) || fail "$source: status $status: $(cat message)"
  grep -q "$source: byte [0-9]*: " message || fail "$source: no place in: $(cat message)"
  nothing_left bad.ckpt
  refused=$((refused + 1))
done

# What begins like something else is plain memory if that is said, but not without a word.
{ printf PAGEDU64 && head -c 8184 /dev/zero; } >win.dmp
expect 2 'is a crash dump of 64-bit Windows' ckpt-capture win.dmp -o win.ckpt
nothing_left win.ckpt
expect 0 'warning: win.dmp: is a crash dump of 64-bit Windows' ckpt-capture --format raw win.dmp -o win.ckpt

# Holes of a sparse file are zeros that are not read. What is left out of one is left out all the same.
truncate -s 64M sparse.raw
for page in 0 1 77 8000 8001 16383; do
  head -c 4096 /dev/urandom | dd of=sparse.raw bs=4096 seek=$page conv=notrunc status=none
done
printf x | dd of=sparse.raw bs=1 seek=20000001 conv=notrunc status=none
cp --sparse=never sparse.raw dense.raw
printf '5 free\n70-90 free\n12000-16383 user\n' >pages
for options in "" "--evict-list pages" "--hash-source"; do
  for name in sparse.raw dense.raw; do
    # shellcheck disable=SC2086
    ckpt-capture -q --format raw $options $name -o $name.ckpt --force
    ckpt-inspect info --json $name.ckpt | grep -e memoryDigest -e source.sha256 >$name.said
  done
  cmp sparse.raw.said dense.raw.said || fail "a sparse file is other memory: $options"
done
truncate -s 16G sparse.raw
read=$(bash -c 'ckpt-capture -q --format raw sparse.raw -o sparse.raw.ckpt --force && sed -n "s/^rchar: //p" /proc/$$/io')
((read < 100000000)) || fail "$read bytes were read of a sparse file"
rm sparse.raw*

# What lies behind a whole stream is passed over; if what is missing lies behind the memory, that is all there.
behind=0
for source in streams/{more,short}-*; do
  wanted=0
  [[ $source != */short-* ]] || wanted=1
  for name in "$source" -; do
    status=0
    ckpt-capture --force "$name" -o behind.ckpt <"$source" 2>message || status=$?
    [[ $status == "$wanted" ]] || fail "$source as $name: status $status: $(cat message)"
    grep -q ': byte [0-9]*: ' message || fail "$source: no place in: $(cat message)"
    ckpt-verify -q behind.ckpt || fail "$source: verify"
    ckpt-restore -q behind.ckpt --to raw -o behind.raw --force
    [[ -e expected.raw ]] || cp behind.raw expected.raw
    cmp behind.raw expected.raw || fail "$source: other memory"
    status=0
    ckpt-restore -q behind.ckpt --to libxc -o behind.out --force 2>message || status=$?
    if ((wanted)); then
      { [[ $status == 2 ]] && grep -q 'no guest can go on' message; } || fail "$source: exported: $(cat message)"
    else
      ((status == 0)) || fail "$source: not exported: $(cat message)"
    fi
  done
  status=0
  ckpt-verify "$source" >output 2>&1 || status=$?
  if ((wanted)); then
    [[ $status == 1 ]] || fail "$source: ckpt-verify says that it is sound"
  else
    grep -q 'bytes behind the end' output || fail "$source: ckpt-verify: $(cat output)"
  fi
  behind=$((behind + 1))
done
((behind > 40)) || fail "only $behind streams with something behind them"

# A volume is captured and verified as a file is.
if volume=$(losetup -f --show streams/more-zeros.xl 2>message); then
  trap 'losetup -d "$volume"; rm -rf "$work"' EXIT
  expect 0 'bytes behind the end' ckpt-capture "$volume" -o volume.ckpt
  ckpt-verify "$volume" >output 2>&1 || true
  grep -q 'bytes behind the end' output || fail "ckpt-verify of a volume: $(cat output)"
  losetup -d "$volume"
  trap 'rm -rf "$work"' EXIT
else
  echo "note: no loop device can be had here, so volumes are not tried: $(cat message)"
fi

# So is what lies behind the last moment of a checkpointed stream, and what it is compressed in may break off there.
source=streams/moments-4-pv.libxl
{ cat $source && head -c 16 /dev/zero && echo hand-over; } >part
expect 0 'note: part: byte [0-9]+: 10 bytes behind the end' ckpt-capture part -o 'late-%d.ckpt'
{ cat $source && head -c 16 /dev/zero; } | gzip >part.gz
head -c -4 part.gz >part
expect 1 'warning: part: .*gzip data' ckpt-capture part -o 'late-%d.ckpt' --force
ckpt-verify -q late-3.ckpt || fail "the last moment is not sound"

# A stream that breaks off while memory is sent is an image on request: with pages as they came, for analysis only.
for length in 60000 300000 1500000; do
  for name in part -; do
    head -c $length streams/repeat-live.libxl >part
    expect 1 '; --keep-uncertain' ckpt-capture "$name" -o uncertain.ckpt <part
    unfinished_left uncertain.ckpt
    expect 1 'the input ends' ckpt-capture --keep-uncertain --force "$name" -o uncertain.ckpt <part
    ckpt-verify -q uncertain.ckpt || fail "$length bytes: verify"
    expect 0 'restorable.reason: uncertain pages' ckpt-inspect info uncertain.ckpt
    expect 0 'consistency: smeared' ckpt-inspect info uncertain.ckpt
    expect 2 'older copies' ckpt-restore uncertain.ckpt --to libxl -o no
    ckpt-restore -q uncertain.ckpt --to raw -o uncertain.raw --force
    rm uncertain.ckpt
  done
done
((exports > 120 && refused > 10)) || fail "only $exports exports and $refused defects were tried"
echo "$exports exports, $refused defects"
