# shellcheck shell=bash
# Sourced by the tests: a folder of their own, and checks of what a command says and how it ends.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
BIN=$(cd "${BIN:-$root/.build/release}" && pwd)
PATH=$BIN:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
  echo "FAIL: $*"
  exit 1
}

# expect STATUS PATTERN COMMAND...: how it ends, and a pattern that is in what it says. Its standard
# output is in the file "output".
expect() {
  local wanted=$1 pattern=$2 status=0
  shift 2
  timeout 120 "$@" >output 2>message || status=$?
  [[ $status == "$wanted" ]] || fail "$*: status $status, expected $wanted: $(head -3 message)"
  grep -qaE -- "$pattern" message output || fail "$*: no '$pattern' in: $(head -3 message)"
}

# Nothing is left of an output that failed: not its name, nothing unfinished in its folder.
nothing_left() {
  [[ ! -e $1 ]] || fail "$1 is there"
  local partial
  partial=$(find "$(dirname "$1")" -name '.*.partial')
  [[ -z $partial ]] || fail "left behind: $partial"
  [[ ! -e $1.partial ]] || fail "left behind: $1.partial"
}

# What an interrupted capture may leave: nothing under its name, nothing hidden; under NAME.partial, if it is
# there, an unfinished image that a salvage makes a sound one of. Takes it away.
unfinished_left() {
  local status=0
  if [[ -e $1.partial ]]; then
    [[ $(stat -c %a "$1.partial") == 600 ]] || fail "mode of $1.partial"
    ckpt-verify -q --salvage "$1.salvaged" "$1.partial" --search . >/dev/null 2>salvage-message || status=$?
    ((status <= 1)) || fail "salvage of $1.partial: status $status: $(head -3 salvage-message)"
    ckpt-verify -q "$1.salvaged" --search . || fail "salvage of $1.partial is not sound"
    rm "$1.partial" "$1.salvaged"
  fi
  nothing_left "$1"
}

# memory NAME PAGES SEED: raw memory with zero, repeated and random pages.
memory() {
  python3 - "$@" <<'P'
import random, sys
name, pages, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng, own = random.Random(1), random.Random(seed)
with open(name, "wb") as file:
    for number in range(pages):
        kind = rng.randrange(4)
        page = [bytes(4096), rng.randbytes(64) * 64, rng.randbytes(4096), bytes([number % 255 + 1]) * 4096][kind]
        if own.randrange(10) == 0:
            page = own.randbytes(64) * 64
        file.write(page)
P
}

# evicted IMAGE: the pages that it leaves out, a line with PFN and reason each.
evicted() {
  ckpt-inspect map --json "$1" >evicted-runs
  python3 - <<'P'
import json
for run in json.load(open("evicted-runs")):
    if run["state"] == "evicted":
        for pfn in range(run["pfn"], run["pfn"] + run["count"]):
            print(pfn, run["reason"])
P
}

# excluded DUMP REASON [PAGES]: the same of what makedumpfile left out of a dump, of the first PAGES pages.
excluded() {
  PYTHONPATH=$root/Tests/Oracle python3 - "$@" <<'P'
import sys
from kdump_bitmaps import bitmaps
present, kept = bitmaps(sys.argv[1])
for pfn in range(int(sys.argv[3]) if sys.argv[3:] else len(present)):
    if present[pfn] and not kept[pfn]:
        print(pfn, sys.argv[2])
P
}
