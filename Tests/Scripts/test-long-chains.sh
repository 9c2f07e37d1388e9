#!/usr/bin/env bash
# 500 images: they open, are verified, merged and restored with 64 files open and little memory, and what is
# read grows with what the images hold.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

memory now.raw 32768 1
ckpt-capture -q --no-sync --format raw now.raw -o 0.ckpt
mkdir chain
mv 0.ckpt chain
"$root/Tests/Oracle/write_chain.py" now.raw chain/0.ckpt 500 60 250.raw
mv now.raw 500.raw

python3 - <<'P'
import filecmp, os, resource, sys


def run(*command):
    """Bytes read and peak memory in MiB of one command."""
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        os.dup2(os.open("said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.execvp(command[0], command)
    # Still there to be asked, but ended.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    with open(f"/proc/{pid}/io") as file:
        read = int(file.readline().split()[1])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, (command, status)
    return read, usage.ru_maxrss / 1024


def size(images):
    return sum(os.path.getsize(f"chain/{n}.ckpt") for n in range(images + 1))


def figures(images):
    tip = f"chain/{images}.ckpt"
    result = {
        "open": run("ckpt-inspect", "chain", tip),
        "verify": run("ckpt-verify", "-q", tip),
        "merge": run("ckpt-merge", "-q", "--no-sync", tip, "-o", "merged.ckpt", "--force"),
        "restore": run("ckpt-restore", "-q", "--no-sync", tip, "--to", "raw", "-o", "out", "--force"),
    }
    assert filecmp.cmp("out", f"{images}.raw", shallow=False), f"restored from {images} images"
    run("ckpt-restore", "-q", "--no-sync", "merged.ckpt", "--to", "raw", "-o", "out", "--force")
    assert filecmp.cmp("out", f"{images}.raw", shallow=False), f"merged from {images} images"
    return result


failed = False
first, second = figures(250), figures(500)
for name in first:
    (before, _), (after, peak) = first[name], second[name]
    print(f"{name}: reads {before / 1e6:.0f} MB of {size(250) / 1e6:.0f}, {after / 1e6:.0f} MB of {size(500) / 1e6:.0f},"
          f" takes {peak:.0f} MiB")
    # What 250 more images hold is read a few times, not once for each of them.
    failed |= after - before > 4 * (size(500) - size(250)) or after > 4 * size(500) or peak > 128
sys.exit(failed)
P
echo "long chains: 251 images, and 501"
