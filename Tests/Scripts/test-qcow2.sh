#!/usr/bin/env bash
# The same random history of a memory, as a chain of increments and as a chain of qcow2 overlays: after
# merges here and commits there, both show the same bytes.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"
command -v qemu-img >/dev/null || {
  echo "qemu-img is not installed: .ci/install"
  exit 77
}

SEED=${SEED:-$RANDOM} python3 - <<'P'
import os, random, subprocess

seed = int(os.environ["SEED"])
print(f"SEED={seed}", flush=True)
rng = random.Random(seed)
PAGES = 1024


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def overlay(number):
    return f"{number}.qcow2"


def page():
    kind = rng.randrange(4)
    return (bytes(4096), rng.randbytes(64) * 64, rng.randbytes(4096), bytes([rng.randrange(1, 9)]) * 4096)[kind]


def write(number, changes):
    """The changed pages go into the overlay through qemu-io, whatever was there before."""
    script = []
    for pfn, contents in changes.items():
        name = f"page-{pfn}"
        with open(name, "wb") as file:
            file.write(contents)
        script += ["-c", f"write -s {name} {pfn * 4096} 4096"]
    if script:
        run("qemu-io", "-f", "qcow2", *script, overlay(number), stdout=subprocess.DEVNULL)
    for pfn in changes:
        os.unlink(f"page-{pfn}")


def memory_of(image):
    return run("ckpt-restore", "-q", image, "--to", "raw", "-o", "-", stdout=subprocess.PIPE).stdout


def disk_of(number):
    run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", overlay(number), "disk.raw")
    with open("disk.raw", "rb") as file:
        return file.read()


memory = bytearray(b"".join(page() for _ in range(PAGES)))
moments = []
length = 12
for number in range(length):
    changes = {}
    for _ in range(rng.randrange(60) if number else 0):
        # Often the same pages, so that overlays shadow each other.
        changes[rng.randrange(40 if rng.random() < 0.5 else PAGES)] = page()
    for pfn, contents in changes.items():
        memory[pfn * 4096:pfn * 4096 + 4096] = contents
    with open("now.raw", "wb") as file:
        file.write(memory)
    if number:
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", overlay(number - 1), "-F", "qcow2", overlay(number))
        write(number, changes)
    else:
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "now.raw", overlay(0))
    parent = ("--parent", f"{number - 1}.ckpt") if number else ()
    run("ckpt-capture", "-q", "--format", "raw", "now.raw", *parent, "-o", f"{number}.ckpt")
    moments.append(bytes(memory))

for number in range(length):
    assert memory_of(f"{number}.ckpt") == disk_of(number) == moments[number], number

# A span becomes one; what stood on it stands still.
low = rng.randrange(1, length - 4)
high = rng.randrange(low + 1, length - 2)
run("qemu-img", "commit", "-q", "-f", "qcow2", "-b", overlay(low), overlay(high))
run("qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-b", overlay(low), "-F", "qcow2", overlay(high + 1))
run("ckpt-merge", "-q", "--verify", f"{high}.ckpt", "--onto", f"{low - 1}.ckpt", "-o", "span.ckpt")
for number in range(low, high + 1):
    os.unlink(f"{number}.ckpt")
for number in range(high + 1, length):
    assert memory_of(f"{number}.ckpt") == disk_of(number) == moments[number], ("span", number)

# All of it becomes one.
run("qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", overlay(length - 1), "all.qcow2")
run("ckpt-merge", "-q", "--verify", f"{length - 1}.ckpt", "-o", "all.ckpt")
run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", "all.qcow2", "disk.raw")
assert memory_of("all.ckpt") == open("disk.raw", "rb").read() == moments[-1]
print(f"{length} moments, span {low} to {high}")
P
