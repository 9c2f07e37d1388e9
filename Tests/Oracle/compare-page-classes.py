#!/usr/bin/env python3
"""compare-page-classes.py OURS DUMPS: what page-classes wrote under the name OURS with makedumpfile's dumps DUMPS.N of
the same memory, one for each dump level N.

Our dump level must leave out the same pages. Our classes may only leave out pages that makedumpfile leaves out at the
level that is meant for them; of those that it leaves out besides, the number of each class is printed."""
import collections
import glob
import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])
from kdump_bitmaps import bitmaps

CLASSES = """unknown free perCPUList cacheClean cacheDirty cacheMapped sharedMemory privateCache anonymous slab pageTable
kernelOther reserved balloon offline""".split()
# What a class is to makedumpfile. It leaves out balloon and offline pages at every level that looks at descriptors.
LEVELS = {
    16: {"free"},
    2: {"cacheClean", "cacheMapped", "cacheDirty", "sharedMemory"},
    4: {"cacheClean", "cacheMapped", "cacheDirty", "sharedMemory", "privateCache"},
    8: {"anonymous"},
}
# What we may say is left out at which level: all that can be evicted as such.
STRICT = {16: {"free"}, 2: {"cacheClean"}, 4: {"cacheClean", "privateCache"}, 8: {"anonymous"}}


def main(ours, dumps):
    with open(ours + ".classes", "rb") as file:
        classes = [CLASSES[byte] for byte in file.read()]
    bad = 0
    for name in sorted(glob.glob(dumps + ".*"), key=lambda name: int(name.rsplit(".", 1)[1])):
        level = int(name.rsplit(".", 1)[1])
        present, kept = bitmaps(name)
        with open(f"{ours}.{level}", "rb") as file:
            reasons = file.read()
        theirs = {pfn for pfn in range(len(kept)) if present[pfn] and not kept[pfn]}
        mine = {pfn for pfn, reason in enumerate(reasons) if reason}
        mine = {pfn for pfn in mine if pfn < len(present) and present[pfn]}
        more, less = sorted(mine - theirs), sorted(theirs - mine)
        print(f"-d {level}: makedumpfile leaves out {len(theirs)} pages, we {len(mine)}")
        for text, pages in (("only we", more), ("only makedumpfile", less)):
            if pages:
                bad += 1
                print(f"  {text}: {len(pages)} pages, first {pages[:8]}, {[classes[page] for page in pages[:8]]}")
        if level in STRICT:
            wrong = [pfn for pfn in range(len(classes)) if classes[pfn] in STRICT[level] and pfn not in theirs]
            wrong = [pfn for pfn in wrong if pfn < len(present) and present[pfn]]
            counted = collections.Counter(classes[pfn] for pfn in theirs)
            rest = {name: count for name, count in counted.items() if name not in STRICT[level]}
            print(f"  of these ours: {sum(counted[name] for name in STRICT[level])}; others by class: {rest}")
            if wrong:
                bad += 1
                print(f"  kept by makedumpfile: {len(wrong)}, first {wrong[:8]}, {[classes[p] for p in wrong[:8]]}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
