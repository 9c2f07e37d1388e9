#!/usr/bin/env python3
"""A small writer of checkpoint images, written from image-format.md alone, to be read beside it.

usage: write_image.py FOLDER, or imported

What is a rule for writers is left to the caller, so that images with defects can be made too.

Writes FOLDER/base.ckpt and its increment FOLDER/next.ckpt: regions with codec 0 and zlib, zero pages, an
evicted page, a vanished page, an allocate-only page, page tables, far PFNs, an inherited record.
"""
import hashlib, os, struct, sys, zlib

HEADER, RECORD, REGION, STATES, LAYOUT, PROVENANCE, INDEX, ROOT, TRAILER = range(1, 10)
UNPOPULATED, DATA, ZERO, UNCHANGED, EVICTED, ALLOCATE = range(6)
NOTHING = bytes(32)


def sha(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


def bitmap(places):
    return sum(1 << n for n in places).to_bytes(64, 'little')


def node(level, children):
    return sha(bytes([1, level]), bitmap(children), *(children[n] for n in sorted(children)))


def level0(moment, block):
    """The node of a block, None if no page of it is populated."""
    leaves = {pfn & 511: sha(bytes((0, state, kind, reason)), sha(page) if state == DATA else NOTHING)
              for pfn, (state, kind, reason, page) in moment.items() if pfn >> 9 == block and state != UNPOPULATED}
    return node(0, leaves) if leaves else None


def memory_digest(moment):
    nodes = {block: level0(moment, block) for block in {pfn >> 9 for pfn in moment}}
    return upper_levels({block: digest for block, digest in nodes.items() if digest})


def upper_levels(nodes):
    """The memory digest from the level-0 nodes of the populated blocks."""
    for level in range(1, 6):
        nodes = {up: node(level, {n & 511: digest for n, digest in nodes.items() if n >> 9 == up})
                 for up in {n >> 9 for n in nodes}}
    return nodes.get(0, node(5, {}))


def text8(data):
    return data + bytes(-len(data) % 8)


class Image:
    architecture, alignment = 1, 8

    def __init__(self, parent=None, name='', capture=None):
        self.out, self.ordinal, self.directory, self.regions = bytearray(), 0, [], {}
        self.capture, self.parent, self.stored = capture or os.urandom(16), parent, 0
        self.records, self.entries = [], {}
        self.moment = dict(parent.moment) if parent else {}
        self.segment(HEADER, struct.pack('<HHBBHHHIQQQ16s32sII', 0, 9, 12, self.alignment.bit_length() - 1,
                     self.architecture, 1, bool(parent), 1, 1, 0, 0,
                     self.capture, parent.id if parent else NOTHING, len(name.encode()), 0) + name.encode()
                     + struct.pack('<BBH', 0, 0, 5) + b'draft')

    def edited(self, kind, body):
        """A body as it is to be written: for defects that all digests cover."""
        return body

    def framed(self, kind, frame):
        """A frame without its checksum as it is to be written: for defects that the checksum covers."""
        return frame

    def segment(self, kind, body, flags=None):
        """Append a segment; gives its offset."""
        body = self.body = self.edited(kind, body)
        flags = (2 if kind == PROVENANCE else 1) if flags is None else flags
        at = len(self.out)
        padded = body + bytes(0 if kind == TRAILER else -(at + 32 + len(body)) % self.alignment)
        frame = self.framed(kind, struct.pack('<IHHQQI', 0x4B434D56, kind, flags, self.ordinal, len(body),
                                              zlib.crc32(padded)))
        self.out += frame + struct.pack('<I', zlib.crc32(frame)) + padded
        if kind not in (REGION, INDEX, ROOT, TRAILER):
            self.directory.append(struct.pack('<HHIQQQ', kind, flags, 0, self.ordinal, at, len(body)) + sha(body))
        self.ordinal += 1
        return at

    def record(self, namespace, group, kind, payload, inherited=False):
        digest = sha(payload)
        self.segment(RECORD, struct.pack('<HHIHIHQ32s', namespace, group, kind, inherited, 0, 0, len(payload), digest)
                     + (b'' if inherited else payload))
        self.records.append(struct.pack('<HHIQ32s', namespace, group, kind, len(payload), digest))

    def compress(self, codec, payload):
        return zlib.compress(payload) if codec == 1 else payload

    def region(self, codec, pages):
        """Store pages {PFN: (type, contents)} in one region."""
        runs = []
        for pfn, (kind, _) in pages.items():
            if runs and (pfn, kind) == (runs[-1][0] + runs[-1][1], runs[-1][2]):
                runs[-1][1] += 1
            else:
                runs.append([pfn, 1, kind])
        payload = b''.join(contents for _, contents in pages.values())
        packed = self.compress(codec, payload)
        codec, packed = (codec, packed) if len(packed) < len(payload) else (0, payload)
        at = self.segment(REGION, struct.pack('<BBHHHII', codec, 0, len(pages), len(runs), 0, 0, 0)
                          + b''.join(struct.pack('<Q', pfn | count - 1 << 52 | kind << 60) for pfn, count, kind in runs)
                          + packed)
        self.regions[at] = len(self.out) - at
        self.stored += len(pages)
        for slot, (pfn, (kind, contents)) in enumerate(pages.items()):
            self.entries[pfn] = (DATA, kind, 0, contents, at, slot)

    def states(self, *extents):
        self.segment(STATES, b''.join(struct.pack('<QQBBB5x', *extent) for extent in extents))
        for pfn, count, *what in extents:
            self.entries.update({pfn + n: (*what, None, None, None) for n in range(count)})

    def index(self, block):
        entries = {pfn & 511: e for pfn, e in sorted(self.entries.items()) if pfn >> 9 == block}
        data = [e for e in entries.values() if e[0] == DATA]
        out = {n: e[2] for n, e in entries.items() if e[0] == EVICTED}
        runs = []
        for *_, at, slot in data:
            if runs and (at, slot) == (runs[-1][0], runs[-1][1] + runs[-1][2]):
                runs[-1][2] += 1
            else:
                runs.append([at, slot, 1])
        body = (struct.pack('<Q4H', block, len(entries), len(data), len(runs), len(out)) + bitmap(entries)
                + text8(bytes(e[0] | e[1] << 4 for e in entries.values()))
                + (bitmap(out) + text8(bytes(out.values())) if out else b'')
                + b''.join(struct.pack('<QIBBH', at, self.regions[at], slot, 0, n) for at, slot, n in runs)
                + b''.join(sha(e[3]) for e in data))
        digest = self.node(block)
        at = self.segment(INDEX, body)
        return struct.pack('<QQII32s32s', block, at, len(self.body), digest is None, digest or NOTHING, sha(self.body))

    layout = 0

    def node(self, block):
        """The level-0 node of a block after this image."""
        return level0(self.moment, block)

    def memory(self):
        """The memory digest after this image."""
        return memory_digest(self.moment)

    def finish(self, path=None):
        """Write provenance, index, root and trailer; the whole file is in `out`, and in a file if one is named."""
        fields = [b'actioncapture', b'consistencyatomic']
        self.segment(PROVENANCE, b''.join(struct.pack('<II', n, len(f) - n) + f for n, f in zip((6, 11), fields)))
        self.moment.update({pfn: e[:4] for pfn, e in self.entries.items()})
        table = [self.index(block) for block in sorted({pfn >> 9 for pfn in self.entries})]
        memory = self.memory()
        state = sha(b'VMckpt machine state\0', struct.pack('<Q', len(self.records)), *self.records)
        self.id = sha(b'VMckpt checkpoint\0', self.capture, memory, state)
        counts = [sum(e[0] == s for e in self.entries.values()) for s in range(8)]
        root = (memory + state + self.id + struct.pack('<8QQIIQ', *counts, self.stored - counts[DATA], self.layout,
                len(self.directory), len(table)) + b''.join(self.directory) + b''.join(table))
        at = self.segment(ROOT, root)
        root = self.body
        self.id = root[64:96]
        self.segment(TRAILER, struct.pack('<QQQQ', at, len(root), self.ordinal + 1, len(self.out) + 128)
                     + self.id + sha(b'VMckpt file\0', root))
        if path:
            with open(path, 'wb') as file:
                file.write(self.out)
        return self


def main(folder):
    full, noise = lambda byte: bytes([byte]) * 4096, lambda: os.urandom(4096)
    base = Image()
    base.record(1, 1, 0x11, b'policy')
    base.record(1, 3, 7, b'before')
    base.region(0, {0: (0, full(0x41)), 1: (0, full(0x42)), 7: (9, full(0x43)), 600: (0, noise())})
    base.region(1, {513: (0, full(0x44)), 512: (0, full(0x45)), 2: (1, full(0x46)), (1 << 52) - 1: (0, full(0x47))})
    base.states((3, 2, ZERO, 0, 0), (514, 1, ALLOCATE, 0, 0), (1 << 40, 1, ZERO, 0, 0))
    base.finish(os.path.join(folder, 'base.ckpt'))
    after = Image(base, 'base.ckpt')
    after.record(1, 1, 0x11, b'policy', inherited=True)
    after.record(1, 3, 7, b'after!!')
    after.region(0, {3: (0, noise())})
    after.region(1, {512: (0, full(0x48)), 7: (1, full(0x43))})             # page 7: only the type changed
    after.states((1, 1, EVICTED, 0, 1), (513, 1, UNPOPULATED, 0, 0), (1 << 40, 1, UNPOPULATED, 0, 0))
    after.finish(os.path.join(folder, 'next.ckpt'))


if __name__ == '__main__':
    main(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
