# shellcheck shell=bash
# Captures of guests that cannot help: paused, hanging, crashed. What is in them must be what "xl dump-core" and
# xenctx say of a guest that stands still.
. ./guest.sh
shopt -s nullglob

# unhelpful NAME WORDS: a guest as the one of the running test, but its kernel finds nothing to run and panics.
unhelpful() {
  local name=$1 like=$2
  shift 2
  sed -e "s/^name = .*/name = \"$name\"/" -e "s|wl.dirty=[0-9]*|rdinit=/nothing $*|" "/tmp/$like.cfg" >"/tmp/$name.cfg"
  rm -f "$(console "$name")"
  xl create "/tmp/$name.cfg" >/dev/null || return 1
  until_true 600 grep -q 'Kernel panic' "$(console "$name")"
}
has_crashed() { [[ $(xl list "$1" | awk 'END { print $5 }') == *c* ]]; }

# registers_agree NAME IMAGE: xenctx sees the same registers. It is shown a guest that stands still.
registers_agree() {
  local name value shown
  /usr/lib/xen-4.17/bin/xenctx "$(xl domid "$1")" 0 >"/tmp/$1.ctx" 2>&1
  ckpt-inspect vcpu "$2" >"/tmp/$1.vcpu"
  for name in rip rsp rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15; do
    value=$(grep -oE "\b$name: *[0-9a-f]{16}" "/tmp/$1.ctx" | head -n 1 | grep -oE '[0-9a-f]{16}')
    shown=$(grep -oE "\b$name +[0-9a-f]{16}" "/tmp/$1.vcpu" | head -n 1 | grep -oE '[0-9a-f]{16}')
    if [ -z "$value" ] || [ "$value" != "$shown" ]; then
      echo "$name: xenctx '$value', ckpt-inspect '$shown'"
      cat "/tmp/$1.ctx"
      return 1
    fi
  done
}

# same_memory NAME IMAGE: the memory is what "xl dump-core" finds. Of a PVH guest that takes minutes, as it asks for each
# frame number alone: its memory is read directly.
same_memory() {
  local status
  ckpt-restore -q "$2" --to raw -o /tmp/raw --force || return 1
  if [[ $1 == pvh* ]]; then
    memory-check domain "$(xl domid "$1")" /tmp/raw
    status=$?
  else
    xl dump-core "$1" /tmp/core >/dev/null 2>&1 && memory-check core /tmp/core /tmp/raw
    status=$?
  fi
  rm -f /tmp/core /tmp/raw
  return $status
}

field() { ckpt-inspect info "$1" | sed -n "s/^  $2: //p" | tail -n 1; }
field_is() { [ "$(field "$1" "$2")" = "$3" ] || { echo "$2: '$(field "$1" "$2")'"; false; }; }

differs_by() { ckpt-diff "$2" "$3" | grep "^memory *$1 pages differ"; }
understood() { ! ckpt-inspect records "$1" | grep 'not understood'; }
small() { [ $(($(stat -c %s "$1") * 3)) -lt "$(stat -c %s "$2")" ]; }

# refused IMAGE: no guest is made of it.
refused() {
  local said
  said=$(ckpt-restore "$1" --to xl -o /tmp/no.xl 2>&1)
  [ $? = 2 ] && [[ $said == *'did not suspend itself'* && ! -e /tmp/no.xl ]]
}

mkdir /tmp/i
for type in ${TYPES:-pvh pv}; do
  echo "== $type"
  a=/tmp/i/$type
  start "$type" "$type" wl.dirty=200 || exit 1

  # A guest that runs: it is not disturbed, and its patterns are found.
  check "live" ckpt-capture "xen:$type" --memory-only -o "$a-live.ckpt"
  check "live: sound" ckpt-verify -q "$a-live.ckpt"
  check "live: smeared" field_is "$a-live.ckpt" consistency smeared
  check "live: not restorable" field_is "$a-live.ckpt" restorable no
  check "live: refused" refused "$a-live.ckpt"
  # The first words of page 5 of the pattern, as the guest has them in memory.
  check "live: the pattern is there" ckpt-inspect search "$a-live.ckpt" --hex 000005000000ac570100050000
  check "while it runs" ckpt-capture "xen:$type" --memory-only --pause -o "$a-short.ckpt"
  check "while it runs: atomic" field_is "$a-short.ckpt" consistency atomic
  check "increments" ckpt-capture "xen:$type" --memory-only --pause --every 1 --count 3 --parent "$a-short.ckpt" -o "$a-%d.ckpt"
  check "increments: sound" ckpt-verify -q "$a-2.ckpt"
  ls -l "$a"*
  unharmed "$type" 2

  # A guest that somebody has paused: it stays so.
  xl pause "$type"
  check "paused" ckpt-capture "xen:$type" --memory-only --pause --parent "$a-2.ckpt" -o "$a-paused.ckpt"
  check "paused: sound" ckpt-verify -q "$a-paused.ckpt"
  check "paused: stays paused" field_is "$a-paused.ckpt" domain.state paused
  check "paused: the same memory" same_memory "$type" "$a-paused.ckpt"
  check "paused: as xenctx sees it" registers_agree "$type" "$a-paused.ckpt"
  check "paused again" ckpt-capture "xen:$type" --memory-only --pause -o "$a-again.ckpt"
  check "paused: equal the second time" differs_by 0 "$a-paused.ckpt" "$a-again.ckpt"
  check "paused: its records are understood" understood "$a-again.ckpt"
  ckpt-inspect info "$a-again.ckpt"
  check "paused: without files and processes" ckpt-capture "xen:$type" --memory-only --pause --evict user -o "$a-user.ckpt"
  check "paused: the same left out of the image before" ckpt-merge -q --evict user "$a-again.ckpt" -o "$a-merged.ckpt"
  check "paused: is equal" differs_by 0 "$a-user.ckpt" "$a-merged.ckpt"
  check "paused: is smaller" test "$(stat -c %s "$a-user.ckpt")" -lt "$(stat -c %s "$a-again.ckpt")"
  xl unpause "$type"
  unharmed "$type" 2

  # A restorable image may be the parent: pages have the same PFNs in both, and page tables the same form.
  check "an increment on a restorable image" ckpt-capture -q "xen:$type" --evict none -o "$a-full.ckpt"
  check "an increment on a restorable image: captured" \
    ckpt-capture "xen:$type" --memory-only --pause --parent "$a-full.ckpt" -o "$a-on-full.ckpt"
  check "an increment on a restorable image: sound" ckpt-verify -q "$a-on-full.ckpt"
  check "an increment on a restorable image: small" small "$a-on-full.ckpt" "$a-full.ckpt"
  check "an increment on a restorable image: refused" refused "$a-on-full.ckpt"

  # A guest that hangs: it would never answer a request to suspend itself.
  check "hanging" unhelpful "$type-hang" "$type" panic=600
  check "hanging: captured" ckpt-capture "xen:$type-hang" --memory-only --pause -o "$a-hang.ckpt"
  check "hanging: sound" ckpt-verify -q "$a-hang.ckpt"
  check "hanging: its last words" ckpt-inspect search "$a-hang.ckpt" --text 'Kernel panic - not syncing: VFS'
  xl pause "$type-hang"
  ckpt-capture -q "xen:$type-hang" --memory-only --pause -o "$a-hang-2.ckpt"
  check "hanging: the same memory" same_memory "$type-hang" "$a-hang-2.ckpt"
  check "hanging: as xenctx sees it" registers_agree "$type-hang" "$a-hang-2.ckpt"
  if [ "$type" = pv ]; then
    check "hanging: its P2M has all frames" field_is "$a-hang-2.ckpt" pv.unlisted 0
    # Xen would write a line for each frame of the host to the serial line.
    xl set-parameters guest_loglvl=error
    check "frames that the P2M does not have" hide-frames "$(xl domid pv-hang)"
    check "frames that the P2M does not have: captured" \
      ckpt-capture "xen:pv-hang" --memory-only --pause --parent "$a-hang-2.ckpt" -o "$a-hidden.ckpt"
    check "frames that the P2M does not have: counted" field_is "$a-hidden.ckpt" pv.unlisted 4
    field "$a-hidden.ckpt" pv.unlisted.frames
    check "frames that the P2M does not have: nothing else differs" differs_by 4 "$a-hang-2.ckpt" "$a-hidden.ckpt"
  fi
  xl destroy "$type-hang"

  # A guest that has crashed and is kept.
  check "crashed" unhelpful "$type-crash" "$type" xen_legacy_crash
  check "crashed: is kept" until_true 100 has_crashed "$type-crash"
  check "crashed: captured" ckpt-capture "xen:$type-crash" --memory-only --pause -o "$a-crash.ckpt"
  check "crashed: said" field_is "$a-crash.ckpt" domain.state crashed
  check "crashed: the same memory" same_memory "$type-crash" "$a-crash.ckpt"
  check "crashed: as xenctx sees it" registers_agree "$type-crash" "$a-crash.ckpt"
  check "crashed: stays so" has_crashed "$type-crash"
  xl destroy "$type-crash"
  xl destroy "$type"
done
check "no journal is left" test -z "$(ls /run/vmckpt 2>/dev/null)"
finish
