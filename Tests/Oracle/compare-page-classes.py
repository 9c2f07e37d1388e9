#!/usr/bin/env python3
"""compare-page-classes.py CLASSES OURS THEIRS [MEMORY DISK]: what we say of a guest's pages, beside makedumpfile and
the guest's disk. Status 0 if all of this holds, else 1:

- our dumps OURS.N and makedumpfile's THEIRS.N, of level N, have the same pages, and leave out the same;
- of the classes in CLASSES (from ckpt-inspect map --by class --json), a page that a policy may leave out is one that
  makedumpfile leaves out at the level for it, and each page that makedumpfile leaves out besides is of a class that
  says why we keep it;
- what we call clean page cache is on the disk: each KiB of the page in MEMORY is in DISK, wherever."""
import collections
import glob
import json
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from kdump_bitmaps import bitmaps

CACHE = {"cacheMapped": "in use", "sharedMemory": "no disk has it", "cacheDirty": "not on disk yet"}
# Level: the classes that we leave out, those that only makedumpfile leaves out, and why we do not.
LEVELS = {
    2: ({"cacheClean"}, CACHE),
    4: ({"cacheClean", "privateCache"}, CACHE),
    8: ({"anonymous"}, {"perCPUList": "huge pages that nobody has taken"}),
    16: ({"free"}, {}),
}
# Pages of ext4's own about free space, which it computes again: they are like page cache, but no file's.
MOST_COMPUTED = 8


class Comparison:
    def __init__(self, classes):
        self.classes = {}
        for run in json.load(open(classes)):
            self.classes.update(dict.fromkeys(range(run["pfn"], run["pfn"] + run["count"]), run["class"]))
        self.bad = 0

    def fail(self, text, pages):
        if pages:
            self.bad += 1
            few = [(page, self.classes.get(page)) for page in sorted(pages)[:8]]
            print(f"  {text}: {len(pages)} pages, such as {few}")

    def level(self, level, ours, theirs):
        (present, kept), (our_present, our_kept) = bitmaps(theirs), bitmaps(ours)
        have, we_have = ({page for page, there in enumerate(had) if there} for had in (present, our_present))
        self.fail("only makedumpfile has", have - we_have)
        # It takes pages that have no descriptor, such as those of the firmware, for none.
        self.fail("only we have", {page for page in we_have - have if self.classes.get(page, "unknown") != "unknown"})
        left, our_left = ({page for page, there in enumerate(had) if there and not has[page]}
                          for had, has in ((present, kept), (our_present, our_kept)))
        print(f"-d {level}: makedumpfile leaves out {len(left)} of {sum(present)} pages, --dump-level {len(our_left)}")
        self.fail("left out only by makedumpfile", left - our_left)
        self.fail("left out only by us", our_left - left)
        if level not in LEVELS:
            return
        evictable, reasons = LEVELS[level]
        mine = {page for page, name in self.classes.items() if name in evictable}
        self.fail("ours, but kept by makedumpfile", mine - left)
        counts = collections.Counter(self.classes.get(page) for page in left - mine)
        print(f"  {len(mine)} are {' or '.join(sorted(evictable))}; we keep",
              ", ".join(f"{count} {name} ({reasons.get(name)})" for name, count in counts.items()) or "none of them")
        self.fail("kept by us without a reason", {page for page in left - mine if self.classes.get(page) not in reasons})

    def clean(self, memory, disk):
        with open(disk, "rb") as file:
            blocks = set(iter(lambda: file.read(1024), b""))
        clean = [page for page, name in self.classes.items() if name == "cacheClean"]
        other = set()
        with open(memory, "rb") as file:
            for page in clean:
                file.seek(page * 4096)
                if not all(file.read(1024) in blocks for _ in range(4)):
                    other.add(page)
        print(f"{len(clean)} pages of clean cache: {len(clean) - len(other)} are on the disk")
        if len(clean) < 1000 or len(other) > MOST_COMPUTED:
            self.fail("not on the disk", other or set(clean))


def main(classes, ours, theirs, *disk):
    comparison = Comparison(classes)
    for name in sorted(glob.glob(theirs + ".*"), key=lambda name: int(name.rsplit(".", 1)[1])):
        level = int(name.rsplit(".", 1)[1])
        comparison.level(level, f"{ours}.{level}", name)
    if disk:
        comparison.clean(*disk)
    return 1 if comparison.bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
