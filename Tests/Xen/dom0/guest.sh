# shellcheck shell=bash
# Sourced by run.sh of a job in dom0: guests that work, and what can be asked about them. Every check prints a line
# "ok WHAT" or "FAILED WHAT"; the job ends with "finish".
export PATH=$PWD/bin:$PATH LD_LIBRARY_PATH=$PWD/lib
failed=0

uptime_s() { cut -d' ' -f1 /proc/uptime; }
ok() { echo "ok $* (at $(uptime_s) s)"; }
bad() {
  echo "FAILED $*"
  failed=$((failed + 1))
}
# check WHAT COMMAND...: the command succeeds.
check() {
  local what=$1
  shift
  if "$@"; then ok "$what"; else bad "$what: $* ended with $?"; fi
}
# finish: ends the job.
finish() {
  cp /var/log/xen/console/guest-*.log "$OUT/" 2>/dev/null
  echo "$failed checks failed"
  exit $((failed > 0))
}

# until_true SECONDS COMMAND...: tries until it succeeds, at most so long.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}
# processes WORD: the numbers of those that have the word in their command line.
processes() { grep -la -- "[${1:0:1}]${1:1}" /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3; }

# The console of a guest: its heartbeat, and the answers to what it is told.
console() { echo "/var/log/xen/console/guest-$1.log"; }
tick() {
  local last
  last=$(grep -o 'wl: tick [0-9]*' "$(console "$1")" 2>/dev/null | tail -n 1)
  echo "${last##* }"
}
ticked() { [ "$(tick "$1")" -ge "$2" ] 2>/dev/null; }
# beats NAME [N]: its heart beats N more times (default 2).
beats() { until_true 60 ticked "$1" $(($(tick "$1") + ${2:-2})); }
tell() { echo "$2" >"$(xenstore-read "/local/domain/$(xl domid "$1")/console/tty")"; }
said() { [ "$(grep -c "$2" "$(console "$1")")" -ge "$3" ]; }
# intact NAME: the guest finds its memory as it filled it.
intact() {
  local before
  before=$(grep -c 'wl: check' "$(console "$1")")
  tell "$1" check
  until_true 60 said "$1" 'wl: check' $((before + 1)) || return 1
  grep 'wl: check' "$(console "$1")" | tail -n 1 | grep -q 'check ok'
}

# disk NAME MIB: an empty ext4 in memory of dom0, for a guest: $DISK is its device.
disk() {
  local image=/tmp/$1.disk
  rm -f "$image"
  truncate -s "$2M" "$image"
  mke2fs -q -t ext4 -E nodiscard "$image" || bad "no file system for $1"
  cp bin/block-loop /etc/xen/scripts/
  { DISK=$(losetup -f) && losetup "$DISK" "$image"; } || bad "no disk for $1"
}
# words_of WORKLOAD: what a guest of MEMORY MiB is told to do for it. All but idle and anon need a disk.
words_of() {
  case $1 in
    # Hardly anything.
    idle) echo "wl.pattern=2 wl.text=2 wl.random=1 wl.hot=1 wl.dirty=50" ;;
    # Half of its memory is files, which it reads again and again.
    cache) echo "wl.files=$((MEMORY / 2)) wl.read=8 wl.hot=1 wl.dirty=50" ;;
    # Its processes have more than half of its memory, filled with what they can check.
    anon) echo "wl.pattern=$((MEMORY / 8)) wl.text=$((MEMORY / 4)) wl.random=$((MEMORY / 8)) wl.hot=$((MEMORY / 16))" ;;
    # A job read files and used memory, and has ended.
    job) echo "wl.files=$((MEMORY / 4)) wl.read=0 wl.free=$((MEMORY / 2)) wl.hot=1 wl.dirty=50" ;;
  esac
}

# start NAME pv|pvh [WORDS]: a guest whose workload dirties pages; of words that are there twice the first counts. MEMORY
# (MiB), KERNEL, VCPUS and DISK (a loop device) may be set; Debian's kernel needs 112 MiB, with the modules for a disk.
KERNEL=${KERNEL:-$GUEST/vmlinux}
MEMORY=${MEMORY:-112}
start() {
  # The quotes are for xl.
  # shellcheck disable=SC2016
  cat >"/tmp/$1.cfg" <<C
name = "$1"
type = "$2"
kernel = "$KERNEL"
ramdisk = "$GUEST/initrd.gz"
memory = $MEMORY
vcpus = ${VCPUS:-1}
extra = "console=hvc0 loglevel=4 ${3:-} wl.pattern=6 wl.text=4 wl.random=2 wl.free=2 wl.hot=4 wl.dirty=200"
on_crash = "preserve"
${DISK:+disk = [ 'format=raw, vdev=xvda, script=block-loop, access=rw, target=$DISK' ]}
C
  : >"$(console "$1")"
  xl create "/tmp/$1.cfg" >/dev/null || return 1
  until_true 120 ticked "$1" 3
}
# have NAME pv|pvh: starts the guest, unless it is there from the part before. $known: how many domains there are then.
have() {
  xl domid "$1" >/dev/null 2>&1 || start "$1" "$2" || {
    bad "$1 does not start: $(tail -n 3 "$(console "$1")")"
    finish
  }
  known=$(domains)
  export known
}

# hardly_runs NAME: it gets 1 % of a processor, so that it answers late; runs_again takes that back.
hardly_runs() { xl sched-credit2 -d "$1" -c 1; }
runs_again() { xl sched-credit2 -d "$1" -c 0; }

# log_dirty NAME: off, on, or none where the hypervisor has none for this guest.
log_dirty() { domain-state "$(xl domid "$1")" | sed 's/.*log-dirty=//'; }
pages() { domain-state "$(xl domid "$1")" | sed 's/.*pages=\([0-9]*\).*/\1/'; }
domains() { xl list | tail -n +2 | wc -l; }

# unharmed NAME DOMAINS: the guest goes on with its memory intact, and nothing is left of a capture.
unharmed() {
  local state
  check "$1: goes on" beats "$1"
  check "$1: finds its memory intact" intact "$1"
  state=$(domain-state "$(xl domid "$1")")
  case $state in
    running*log-dirty=off | running*log-dirty=none) ok "$1: $state" ;;
    *) bad "$1: $state" ;;
  esac
  check "$1: no request to suspend is left" \
    test -z "$(xenstore-read "/local/domain/$(xl domid "$1")/control/shutdown" 2>/dev/null)"
  check "$1: no domain is left over" test "$(domains)" = "$2"
  check "$1: no journal is left" test -z "$(find /run/vmckpt -name '*.journal' 2>/dev/null)"
}

# oracle_of IMAGE FOLDER: what the hook "in-pause NAME FOLDER" kept in the pause that the image was taken in, as the image
# itself says: the hook's words.
oracle_of() { echo "$2/$(ckpt-inspect info "$1" | grep -o 'oracle-[0-9]*' | tail -n 1).ckpt"; }

# as_the_oracle IMAGE FOLDER: an image captured with the hook "in-pause NAME FOLDER" holds what Xen's own save of the
# same pause holds. Only the clocks went on in between, and the toolstack's headers are not in the oracle's stream.
as_the_oracle() {
  local said others name oracle
  name=${1##*/}
  oracle=$(oracle_of "$1" "$2")
  if [ ! -e "$oracle" ]; then
    bad "$name: it does not say which pause it was taken in"
    return
  fi
  said=$(ckpt-diff "$1" "$oracle" 2>&1) || true
  if ! grep -q '^memory *0 pages differ' <<<"$said"; then
    bad "$name: memory: $said"
    ckpt-diff --runs "$1" "$oracle" | head -n 20
    return
  fi
  others=$(sed -n 's/^machine *the state differs: //p' <<<"$said" | tr ',' '\n' | sed 's/^ *//' |
    grep -vx -e 'xl configuration' -e 'streamHeader xl header' -e 'streamHeader libxl header' \
      -e 'libxl EMULATOR_XENSTORE_DATA' -e 'libxc X86_TSC_INFO' -e 'libxc HVM_CONTEXT')
  if [ -n "$others" ]; then
    bad "$name: machine state: $others"
    return
  fi
  ok "$name equals Xen's save of the same pause"
}

# without_free_as_the_oracle IMAGE FOLDER: the same for an image without free pages: it holds what Xen's own save of the
# same pause holds after the pages were left out that are free there.
without_free_as_the_oracle() {
  local oracle said name=${1##*/}
  oracle=$(oracle_of "$1" "$2")
  ckpt-merge -q --evict free --force "$oracle" -o /tmp/oracle-without-free.ckpt || bad "$name: no oracle without free pages"
  said=$(ckpt-diff "$1" /tmp/oracle-without-free.ckpt 2>&1) || true
  if grep -q '^memory *0 pages differ' <<<"$said"; then
    ok "$name equals Xen's save of the same pause, without $(ckpt-inspect info "$1" | grep -o 'evict.free.*' | tail -n 1)"
  else
    bad "$name: memory: $said"
    ckpt-diff --runs "$1" /tmp/oracle-without-free.ckpt | head -n 20
  fi
  rm -f /tmp/oracle-without-free.ckpt
}
