#!/usr/bin/env bash
# Damaged images through the tools: flipped bits, cut files, tails, and things that are no image at all. The
# library's tests go through every byte; this looks at what the user sees.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

memory a.raw 400 1
memory b.raw 400 2
ckpt-capture -q --format raw a.raw -o base.ckpt --codec zlib
ckpt-capture -q --format raw b.raw --parent base.ckpt -o tip.ckpt
ckpt-restore -q tip.ckpt --to raw -o right.raw

SEED=${SEED:-$RANDOM} python3 - <<'P'
import os, random, re, subprocess

seed = int(os.environ["SEED"])
print(f"SEED={seed}", flush=True)
rng = random.Random(seed)
sound = {name: open(name, "rb").read() for name in ("base.ckpt", "tip.ckpt")}
right = open("right.raw", "rb").read()
place = re.compile(rb"(base|tip)\.ckpt: (byte \d+: )?\S")


def run(*command):
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode in (0, 1, 2), (command, done.returncode, done.stderr)
    if done.returncode and not (command[0] == "ckpt-diff" and done.returncode == 1):
        assert place.search(done.stderr + done.stdout), (command, done.stderr)
    return done.returncode


def check(name, data, what):
    with open(name, "wb") as file:
        file.write(data)
    assert run("ckpt-verify", "tip.ckpt") != 0, f"{name}: {what}: not found"
    status = run("ckpt-restore", "-q", "tip.ckpt", "--to", "raw", "-o", "out.raw", "--force")
    if status == 0:
        assert open("out.raw", "rb").read() == right, f"{name}: {what}: wrong memory"
        os.unlink("out.raw")
    assert not os.path.exists("out.raw"), f"{name}: {what}: a file is left"
    for command in (("ckpt-inspect", "chain"), ("ckpt-diff", "base.ckpt"), ("ckpt-verify", "--quick")):
        run(*command, "tip.ckpt")
    merged = run("ckpt-merge", "-q", "tip.ckpt", "-o", "merged.ckpt", "--force")
    if merged == 0:
        assert run("ckpt-verify", "merged.ckpt") == 0, f"{name}: {what}: a merge carries damage on"
        os.unlink("merged.ckpt")


for name, data in sound.items():
    for _ in range(80):
        at, bit = rng.randrange(len(data)), rng.randrange(8)
        check(name, data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:], f"bit {bit} of byte {at}")
    for _ in range(30):
        at = rng.choice([rng.randrange(len(data)), len(data) - rng.randrange(1, 400)])
        check(name, data[:at], f"cut at {at}")
    for tail in (b"\0", b"x" * 100, data[-128:], data):
        check(name, data + tail, "a tail")
    at = rng.randrange(1000, len(data) - 1000)
    check(name, data[:at] + bytes(512) + data[at + 512:], "a lost sector")
    with open(name, "wb") as file:
        file.write(data)
assert run("ckpt-verify", "tip.ckpt") == 0
P

# Things that are no image.
: >empty
echo "Dear Sir or Madam" >letter
mkdir folder
mkfifo fifo
head -c 100000 /dev/zero >zeros
for tool in "ckpt-verify" "ckpt-inspect info" "ckpt-inspect chain" "ckpt-merge -o out" \
  "ckpt-restore --to raw -o out" "ckpt-diff base.ckpt" "ckpt-capture --format raw a.raw -o out --parent"; do
  # A difference is 1, so that whatever keeps images from being compared is 2.
  damaged=1
  [[ $tool != ckpt-diff* ]] || damaged=2
  for name in empty letter zeros; do
    # shellcheck disable=SC2086
    expect $damaged "$name: (byte [0-9]+: )?(header|trailer|.*not a checkpoint image)" $tool $name
  done
  for name in folder fifo /dev/zero missing; do
    # shellcheck disable=SC2086
    expect 2 "$name: (is not a regular file|is a directory|cannot open)" $tool $name
  done
  nothing_left out
done
if ((EUID != 0)); then
  chmod 0 letter
  expect 2 'letter: cannot open: Permission denied' ckpt-verify letter
fi
echo "damage: 2 images"
