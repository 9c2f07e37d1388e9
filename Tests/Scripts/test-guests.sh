#!/bin/bash
# Kernels of Debian in real memory: what is found of them is what they said themselves on the console, by searching all
# memory and by the processor's page tables alone; their type information says what VMCOREINFO says. GUESTS: which of
# `Tests/Guests/make-guests list` (the default is one of each kernel). Then it is damaged, ROUNDS times each, by SEED.
# shellcheck source=Tests/Scripts/common.sh
. "$(dirname "$0")/common.sh"
GUESTS=${GUESTS:-5.10 6.1 6.12-pti 6.18-five}
SEED=${SEED:-$RANDOM}
echo "SEED=$SEED"

facts=$root/.build/guest-facts/release/guest-facts
damaged=$root/.build/guest-facts/release/damaged-guest
for product in guest-facts damaged-guest; do
  (cd "$root" && GUEST_FACTS=1 swift build --scratch-path .build/guest-facts -c release --product $product) >build.log 2>&1 ||
    fail "$product is not built: $(tail -5 build.log)"
done

# said NAME WHAT: what the guest said on its console; lines end as on a terminal.
said() { tr -d '\r' <"$1/console.log" | sed -n "s/^.*said: $2 //p" | head -1; }
# same NAME WHAT KIND: what was found is what was said, or is not known where a kernel does not tell.
same() {
  local found wanted
  found=$(sed -n "s/^$2 //p" found)
  wanted=$(said "$1" "$2")
  [[ -n $wanted ]] || fail "$1: the guest did not say its $2"
  # Before Linux 6.0 VMCOREINFO does not say where symbols are.
  [[ $1 == 5.10* && $3 == symbols && $found == unknown ]] && return
  [[ $found == "$wanted" ]] || fail "$1: $2: found '$found', expected '$wanted'"
}

for guest in $GUESTS; do
  status=0
  "$root/Tests/Guests/make-guests" get "$guest" "$guest" 2>made || status=$?
  if ((status == 77)); then
    tail -1 made
    exit 77
  fi
  ((status == 0)) || fail "$guest: $(tail -5 made)"
  register=$(grep -o -m 1 'CR3=[0-9a-f]*' "$guest/registers" | cut -d= -f2)
  symbols=(init_task linux_banner saved_command_line vmcoreinfo_data)
  for way in - "$register"; do
    "$facts" "$guest/memory.raw" "$way" "${symbols[@]}" >found || fail "$guest, $way: $(cat found)"
    same "$guest" banner constants
    same "$guest" 'command line' symbols
    for symbol in "${symbols[@]}"; do
      sed -n "s/^symbol $symbol //p" found >address
      # In /proc/kallsyms an address, the kind, the name; leading zeros there are none.
      line=$(tr -d '\r' <"$guest/console.log" | grep -m 1 "said: symbol .* $symbol\$") || fail "$guest: no $symbol"
      wanted=${line#*said: symbol }
      [[ $guest == 5.10* && $(cat address) == unknown ]] || [[ $(cat address) == "${wanted%% *}" ]] ||
        fail "$guest: $symbol: found $(cat address), expected ${wanted%% *}"
    done
    if [[ $guest != 5.10* ]]; then
      # The guest rounds down what it has not in whole seconds.
      found=$(sed -n 's/^boot time //p' found)
      wanted=$(said "$guest" 'boot time')
      ((found >= wanted - 1 && found <= wanted + 1)) || fail "$guest: boot time $found, expected $wanted"
    fi
  done
  echo "$guest: $(sed -n 's/^release //p' found), $(sed -n 's/^types //p' found)"
  # Older kernels do not tell where their descriptors lie, so that nothing could be said of whose was damaged.
  if [[ $guest != 5.10* ]]; then
    "$damaged" "$guest/memory.raw" "$register" "$SEED" "${ROUNDS:-40}" || fail "$guest, damaged, SEED=$SEED"
  fi
done

# Memory with no kernel in it, and with nothing but what looks like one, is refused, and soon: 1 GiB of each.
python3 - <<'P'
lines = b"OSRELEASE=6\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff80000000\nSYMBOL(_stext)=ffffffff80000000\n"
text = (lines + b"NUMBER(phys_base)=0\n").ljust(4096, b"\0")
# Each table leads to itself, and to all others.
table = b"".join((number << 12 | 3).to_bytes(8, "little") for number in range(512))
for name, page in (("texts", text), ("tables", table), ("random", bytes(range(256)) * 16)):
    with open(name, "wb") as file:
        for _ in range(1024):
            file.write(page * 256)
P
for name in texts tables random; do
  for way in - 1000; do
    status=0
    "$facts" "$name" "$way" >found || status=$?
    ((status == 1)) || fail "$name, $way: status $status"
    grep -q 'no Linux guest recognised' found || fail "$name, $way: $(cat found)"
    sed -n 's/^after //p' found | grep -qE '^[01]\.' || fail "$name, $way: not within 2 s: $(cat found)"
  done
done
