#!/usr/bin/env bash
# What we say of the pages of guests with several kernels, beside makedumpfile on the same memory and the guests' disk:
# every dump level leaves out the same pages, page by page; our own classes leave out no page that it keeps.
# GUESTS names the guests, see Tests/Guests/make-guests.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
GUESTS=${GUESTS:-5.10 6.1-huge 6.12-huge 6.18-five}
export GUESTS_CACHE=${GUESTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmckpt-guests}
command -v makedumpfile >/dev/null || {
  echo "makedumpfile is not installed: .ci/install"
  exit 77
}

# Kernels since 6.12 need makedumpfile 1.7.7: Debian's unstable has it, and the libraries to run it with.
newer_makedumpfile() {
  local folder=$work/unstable
  mkdir -p "$folder"/{lists,cache/archives}/partial "$folder/root"
  echo "deb http://deb.debian.org/debian sid main" >"$folder/sources"
  local apt=(apt-get -qq -o Debug::NoLocking=1 -o "Dir::Etc::SourceList=$folder/sources" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o "APT::Sandbox::User=$(id -un)"
    -o Acquire::Languages=none)
  (
    cd "$folder"
    "${apt[@]}" update && "${apt[@]}" download makedumpfile libc6 libdw1t64 libelf1t64 liblzo2-2 libzstd1 zlib1g \
      libbz2-1.0 liblzma5
  ) >"$folder/log" 2>&1 || return 1
  for package in "$folder"/*.deb; do dpkg -x "$package" "$folder/root"; done
  newer=("$folder/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$folder/root/usr/lib/x86_64-linux-gnu"
    "$folder/root/usr/bin/makedumpfile")
  "${newer[@]}" -v >/dev/null 2>&1
}

tried=0
newer=()
for guest in $GUESTS; do
  tool=(makedumpfile)
  if [[ ${guest%%-*} != 5.10 && ${guest%%-*} != 6.1 ]]; then
    if [[ ${#newer[@]} == 0 ]] && ! newer_makedumpfile; then
      echo "$guest: left out, a newer makedumpfile cannot be had: $(tail -1 unstable/log)"
      continue
    fi
    tool=("${newer[@]}")
  fi
  status=0
  "$root/Tests/Guests/make-guests" get "$guest" guest 2>message || status=$?
  if [[ $status == 77 ]]; then
    echo "$guest: left out: $(tail -1 message)"
    continue
  fi
  [[ $status == 0 ]] || fail "$guest: $(tail -3 message)"
  ckpt-capture -q guest/memory.elf -o image.ckpt --force
  ckpt-inspect map --by class --json image.ckpt >classes
  rm -f ours.* theirs.*
  for level in 1 2 4 8 16 31; do
    "${tool[@]}" -c -d "$level" guest/memory.elf "theirs.$level" >message 2>&1 || fail "$guest: $(tail -3 message)"
    ckpt-restore -q --no-sync --to kdump --dump-level "$level" image.ckpt -o "ours.$level" 2>/dev/null
  done
  echo "== $guest, $("${tool[@]}" -v 2>&1 | sed -n '1s/ (.*//p')"
  python3 "$root/Tests/Oracle/compare-page-classes.py" classes ours theirs guest/memory.raw "$GUESTS_CACHE/disk.ext4" ||
    fail "$guest"
  tried=$((tried + 1))
done

# A kernel that fills free pages with a pattern, and looks for it: they are kept, and it is said why.
if "$root/Tests/Guests/make-guests" get 6.12-poison guest 2>message; then
  ckpt-capture -q --evict free guest/memory.elf -o poison.ckpt
  ckpt-inspect guest --json poison.ckpt | python3 -c '
import json, sys
guest = json.load(sys.stdin)
free = next(c for c in guest["classes"] if c["name"] == "free")
assert guest["poisonsFreePages"] is True, guest
assert free["pages"] > 1000 and free["evicted"] == 0, free' || fail "free pages with a pattern were left out"
fi
((tried > 0)) || exit 77
