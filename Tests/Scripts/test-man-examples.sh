#!/usr/bin/env bash
# The commands in EXAMPLES of every manual page, and the session of the README, run as they stand, and what they print
# is what the pages say. examples.py has the rules.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
export BIN

# The session of the README begins in the clone and goes on in a new folder; that is where the examples of the
# manual pages begin, with save-1 to save-3, base.ckpt, inc-1.ckpt, inc-2.ckpt and merged.ckpt.
TMPDIR=$work python3 "$here/examples.py" . "$root/README.md" || fail "README.md"
cd "$work"/tmp.*/pv-64

zstd -dc --long=30 "$root/Fixtures/checkpointed-64.tar.zst" | tar -x --strip-components=1 pv-64/remus.stream
ckpt-restore -q base.ckpt --to raw -o memory.raw
zstd -q -1 save-1
mkdir guest
ln save-1 guest/save-1
XZ_OPT=-0 tar -cJf dump.tar.xz guest
rm -r guest restored
printf 'name = "web"\ntype = "pv"\nkernel = "/boot/vmlinuz"\nmemory = 64\n' >web.cfg
# The lines that vmckpt-image(5) gives for file(1), with mdoc's \e for a backslash.
sed -n '/^0 ulequad/,/^\.Ed/{/^\.Ed/d;s/\\e/\\/g;p}' "$root/Man/vmckpt-image.5" >vmckpt.magic
python3 "$here/examples.py" . "$root"/Man/*.[15] || fail "manual pages"
