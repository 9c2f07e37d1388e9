#!/usr/bin/env bash
# Memory in use grows by at most 16 MiB for each populated GiB of guest, whatever a tool does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$work" <<'P'
import os, random, resource, subprocess, sys

work, bin = sys.argv[1], os.environ["BIN"]


def make(name, mib, seed):
    """Memory of which every page is different, and none zero; an eighth differs by seed."""
    rng = random.Random(1)
    other = random.Random(seed)
    with open(name, "wb") as file:
        for number in range(mib * 256):
            head = other.randbytes(16) if number % 8 == 0 else rng.randbytes(16)
            file.write((head + bytes(240)) * 16)


def peak(*command):
    """The peak resident size in KiB of a command: the least of three runs, for how far threads get ahead of each
    other adds some MiB when the machine is busy."""
    return min(run(*command) for _ in range(3))


def run(*command):
    pid = os.fork()
    if pid == 0:
        os.execv(os.path.join(bin, command[0]), command)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, (command, status)
    return usage.ru_maxrss


def figures(mib):
    a, b, image, child, merged, raw = (
        f"{work}/{mib}-{n}" for n in ("a", "b", "base.ckpt", "tip.ckpt", "merged.ckpt", "out"))
    make(a, mib, 2)
    make(b, mib, 3)
    quiet = ("-q", "--no-sync", "--force")
    result = {
        "capture": peak("ckpt-capture", *quiet, "--format", "raw", a, "-o", image),
        "increment": peak("ckpt-capture", *quiet, "--format", "raw", b, "-o", child, "--parent", image),
        "merge": peak("ckpt-merge", *quiet, child, "-o", merged),
        "verify": peak("ckpt-verify", "-q", child),
        "restore": peak("ckpt-restore", *quiet, child, "--to", "raw", "-o", raw),
    }
    for name in (a, b, image, child, merged, raw):
        os.unlink(name)
    return result


# Both are large enough for the caches, whose size is fixed, to be full.
small, large = 256, 768
first, second = figures(small), figures(large)
failed = False
for name in first:
    growth = (second[name] - first[name]) / 1024 / ((large - small) / 1024)
    print(f"{name}: {second[name] / 1024:.0f} MiB for {large} MiB, grows {growth:.1f} MiB a GiB")
    failed |= growth > 16 or second[name] > 128 * 1024
sys.exit(failed)
P
