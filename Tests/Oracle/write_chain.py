#!/usr/bin/env python3
"""Long chains of small increments, written with write_image.py: no tool of ours has a part in them.

usage: write_chain.py RAW BASE COUNT PAGES [MIDDLE]

RAW is the memory that the image BASE holds. Writes COUNT increments beside BASE, each on the one before:
1.ckpt, 2.ckpt and so on. Each changes PAGES pages all over the memory; an eighth of them become zero. RAW is
changed too: in the end it is the memory of the last increment. MIDDLE becomes that of the middle one.
"""
import mmap, os, random, shutil, struct, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'Spec'))
from write_image import DATA, NOTHING, ZERO, Image, node, sha, upper_levels

PAGE = 4096


class Parent:
    moment = {}

    def __init__(self, identity):
        self.id = identity


class Guest:
    """Memory with the leaves and nodes of its digest; a step costs what it changes."""

    def __init__(self, memory):
        self.memory = memory
        self.leaves = {}
        self.nodes = {}
        for pfn in range(len(memory) // PAGE):
            page = memory[pfn * PAGE:(pfn + 1) * PAGE]
            self.set_leaf(pfn, page if any(page[:64]) or page.count(0) < PAGE else None)
        for block in self.leaves:
            self.nodes[block] = node(0, self.leaves[block])

    def set_leaf(self, pfn, page):
        head = bytes((0, DATA if page else ZERO, 0, 0))
        self.leaves.setdefault(pfn >> 9, {})[pfn & 511] = sha(head, sha(page) if page else NOTHING)

    def change(self, pfn, page):
        self.memory[pfn * PAGE:(pfn + 1) * PAGE] = page or bytes(PAGE)
        self.set_leaf(pfn, page)


class Increment(Image):
    def __init__(self, guest, *arguments):
        super().__init__(*arguments)
        self.guest = guest

    def node(self, block):
        self.guest.nodes[block] = node(0, self.guest.leaves[block])
        return self.guest.nodes[block]

    def memory(self):
        return upper_levels(self.guest.nodes)


def main(raw, base, count, pages, middle=None):
    rng = random.Random(1)
    folder = os.path.dirname(base)
    with open(base, 'rb') as file:
        Increment.architecture = struct.unpack_from('<H', file.read(64), 38)[0]
        file.seek(-64, os.SEEK_END)  # the trailer ends with checkpoint ID and file ID
        parent, name = Parent(file.read(32)), os.path.basename(base)
    with open(raw, 'r+b') as file, mmap.mmap(file.fileno(), 0) as memory:
        guest = Guest(memory)
        for number in range(1, int(count) + 1):
            image = Increment(guest, parent, name)
            changed = sorted(rng.sample(range(len(memory) // PAGE), int(pages)))
            stored = {}
            for place, pfn in enumerate(changed):
                page = None if place % 8 == 7 else rng.randbytes(256) + memory[pfn * PAGE + 256:(pfn + 1) * PAGE]
                guest.change(pfn, page)
                if page:
                    stored[pfn] = (0, page)
            pfns = sorted(stored)
            for start in range(0, len(pfns), 256):
                image.region(1, {pfn: stored[pfn] for pfn in pfns[start:start + 256]})
            zero = [(pfn, 1, ZERO, 0, 0) for pfn in changed if pfn not in stored]
            if zero:
                image.states(*zero)
            name = f'{number}.ckpt'
            image.finish(os.path.join(folder, name))
            parent = Parent(image.id)
            if middle and number == int(count) // 2:
                memory.flush()
                shutil.copy(raw, middle)


if __name__ == '__main__':
    main(*sys.argv[1:]) if len(sys.argv) in (5, 6) else sys.exit(__doc__)
