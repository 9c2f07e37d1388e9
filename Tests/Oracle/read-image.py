#!/usr/bin/env python3
"""Independent reader and checker of checkpoint images, written from image-format.md (version 0.9) alone.

usage: read-image.py TIP [ANCESTOR...]

The files are linked by Parent_ID.  Every rule of the specification that can be checked is checked in
every file: frames, checksums, padding, order, header, records, layout, provenance, index, root, trailer,
all digests, and that the segments before the index say the same as the index.  Then each page of the tip
is read through the chain.  The last line printed is JSON; its "sha256" covers, for each populated page in
ascending order, struct '<QBBB' (PFN, state, type, reason) and, for data, the 4096 bytes.
A violation is reported as FILE: OFFSET: MESSAGE with exit status 1.
"""
import ctypes, functools, hashlib, json, re, struct, sys, zlib

HEADER, RECORD, REGION, STATES, LAYOUT, PROVENANCE, INDEX, ROOT, TRAILER = range(1, 10)
UNPOPULATED, DATA, ZERO, UNCHANGED, EVICTED, ALLOCATE, BROKEN, UNREADABLE = range(8)
NAMES = 'unpopulated data zero unchanged evicted allocate-only broken unreadable'.split()
TYPED, TYPES = {DATA, ZERO, EVICTED, UNREADABLE}, {0, 1, 2, 3, 4, 9, 10, 11, 12}
F_FRAME, F_HEADER, F_REGION = '<IHHQQII', '<HHBBHHHIQQQ16s32sII', '<BBHHHII'
F_EXTENT, F_RECORD, F_INDEX, F_LOCATION = '<QQBBB5s', '<HHIH6sQ32s', '<Q4H64s', '<QIBBH'
F_ROOT, F_DIRECTORY, F_BLOCK, F_TRAILER = '<32s32s32s8QQIIQ', '<HHIQQQ32s', '<QQII32s32s', '<QQQQ32s32s'
PFN_LIMIT, NOTHING = 1 << 52, bytes(32)
EXPAND_LIMIT = 1 << 26            # of this reader: pages named by the extents of one file


class Violation(Exception):
    pass


def sha(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def node(level, children):
    """The digest of a node from {place: digest of the child}."""
    occupancy = sum(1 << place for place in children)
    return sha(bytes([1, level]), occupancy.to_bytes(64, 'little'), *(children[p] for p in sorted(children)))


def memory_digest(nodes):
    """The digest of level 5 from {block: node of level 0}."""
    for level in range(1, 6):
        groups = {}
        for number, digest in nodes.items():
            groups.setdefault(number >> 9, {})[number & 511] = digest
        nodes = {number: node(level, children) for number, children in groups.items()}
    return nodes.get(0) or node(5, {})


def unzstd(payload, size):
    """One or more zstd frames that fill exactly `size` bytes."""
    library = ctypes.CDLL('libzstd.so.1')
    library.ZSTD_decompress.restype = ctypes.c_size_t
    library.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t] * 2
    room = ctypes.create_string_buffer(size)
    return room.raw if library.ZSTD_decompress(room, size, payload, len(payload)) == size else None


def unzlib(payload, size):
    stream = zlib.decompressobj()
    try:
        pages = stream.decompress(payload, size)
        if not stream.eof and stream.decompress(stream.unconsumed_tail, 1):
            return None
    except zlib.error:
        return None
    return pages if stream.eof and not stream.unused_data and len(pages) == size else None


class Image:
    def __init__(self, path):
        self.path = path
        with open(path, 'rb') as file:
            self.bytes = file.read()
        self.walk()
        for segment in self.segments:
            {RECORD: self.record, REGION: self.region, STATES: self.states, PROVENANCE: self.provenance,
             INDEX: self.index}.get(segment[0], bool)(segment)
        for check in (self.layout, self.root, self.contents, self.description):
            check()

    def need(self, true, offset, message):
        if not true:
            raise Violation(f'{self.path}: {offset:#x}: {message}')

    def body(self, segment):
        return self.bytes[segment[3] + 32:segment[3] + 32 + segment[4]]

    def unpack(self, form, body, at, offset):
        self.need(at + struct.calcsize(form) <= len(body), offset, f'body too short at {at}')
        return struct.unpack_from(form, body, at)

    def text(self, body, at, length, limit, offset):
        text = body[at:at + length].decode(errors='replace')
        self.need(length <= limit and text.encode() == body[at:at + length], offset, 'text too long or not UTF-8')
        return text

    def walk(self):
        """Segments as (kind, flags, ordinal, offset, body length, length with frame and padding)."""
        self.segments, self.records, self.regions, self.said = [], [], {}, {}
        self.entries, self.index_segments, self.last = {}, {}, {REGION: -1, STATES: -1}
        self.region_pages = self.expanded = at = 0
        while True:
            self.need(at + 32 <= len(self.bytes), at, 'no trailer: unfinished or cut')
            magic, kind, flags, ordinal, length, body_sum, frame_sum = struct.unpack_from(F_FRAME, self.bytes, at)
            self.need(magic == 0x4B434D56, at, 'magic')
            self.need(frame_sum == zlib.crc32(self.bytes[at:at + 28]), at, 'frame checksum')
            self.need(ordinal == len(self.segments), at, f'ordinal {ordinal}')
            self.need(length <= 1 << 28 and at + 32 + length <= len(self.bytes), at, 'body length')
            known = 1 <= kind <= 9
            self.need(flags == (2 if kind == PROVENANCE else 1) if known else flags < 4, at, f'flags {flags}')
            self.need(known or not flags & 1, at, f'unknown critical kind {kind}')
            self.need((at == 0) == (kind == HEADER), at, f'kind {kind} out of order')
            segment = [kind, flags, ordinal, at, length, 32 + length]
            if kind == HEADER:
                self.header(self.body(segment), at)
            if kind != TRAILER:
                end = -(-(at + 32 + length) // self.alignment) * self.alignment
                segment[5] = end - at
                self.need(end <= len(self.bytes), at, 'cut in padding')
                self.need(not any(self.bytes[at + 32 + length:end]), at, 'padding is not zero')
            self.need(body_sum == zlib.crc32(self.bytes[at + 32:at + segment[5]]), at, 'body checksum')
            self.segments.append(tuple(segment))
            at += segment[5]
            if kind == TRAILER:
                break
        self.need(at == len(self.bytes), at, 'bytes behind the trailer')
        known = [s for s in self.segments if 1 <= s[0] <= 9]       # unknown kinds: anywhere
        order = ''.join(str(s[0]) for s in known)
        good = re.match(r'1[2345]*6*7*8?9?', order).end()
        self.need(re.fullmatch(r'1[2345]*6+7*89', order), known[min(good, len(order) - 1)][3],
                  'segments out of order, or one is missing')

    def header(self, body, at):
        (major, minor, page_shift, shift, self.architecture, self.space, self.flags, names, incompatible,
         compatible, drop, self.capture, self.parent_id, length, zero) = self.unpack(F_HEADER, body, 0, at)
        self.need((major, minor) == (0, 9), at, f'version {major}.{minor}')
        self.need(page_shift == 12 and 3 <= shift <= 16 and self.flags < 4 and zero == 0, at, 'header fields')
        self.need(self.architecture < 2 and self.space == 1, at, 'architecture or address space')
        self.need(incompatible == 1, at, f'incompatible features {incompatible:#x}')
        self.increment, self.alignment = bool(self.flags & 1), 1 << shift
        self.need((self.parent_id != NOTHING) == self.increment, at, 'Parent_ID and flag increment')
        self.parent_name = self.text(body, 96, length, 1024, at)
        self.need(not {'/', '\0'} & set(self.parent_name) and self.parent_name not in ('.', '..')
                  and (self.increment or not length), at, 'Parent_Name')
        place, named = 96 + length, []
        for _ in range(names):
            group, bit, length = self.unpack('<BBH', body, place, at)
            bits = (incompatible, compatible, drop)[group] if group < 3 else 0
            self.need(bits >> bit & 1 and named[-1:] < [(group, bit)], at, 'feature name: bit not set, or order')
            name = self.text(body, place + 4, length, 1024, at)
            self.need((group, bit) != (0, 0) or name == 'draft', at, 'name of feature draft')
            named.append((group, bit))
            place += 4 + length
        self.need(len(named) == sum(bin(bits).count('1') for bits in (incompatible, compatible, drop)),
                  at, 'feature without a name')
        self.need(place == len(body), at, 'header length')

    def record(self, segment):
        body, at = self.body(segment), segment[3]
        namespace, group, kind, flags, zero, length, digest = self.unpack(F_RECORD, body, 0, at)
        self.need(1 <= namespace <= 4 and 1 <= group <= 3 and not any(zero) and flags <= self.increment, at,
                  'record fields')
        self.need(length <= 1 << 27 and len(self.records) < 65536, at, 'record limits')
        self.need(len(body) == 56 + (0 if flags else length), at, 'record length')
        self.need(flags or sha(body[56:]) == digest, at, 'record digest')
        self.records.append(((namespace, group, kind, length, digest), None if flags else body[56:], at))

    def mention(self, kind, first, count, what, at, slot=None):
        self.need(count and first + count <= PFN_LIMIT, at, 'PFN limit')
        if self.flags & 2:
            self.need(first > self.last[kind], at, 'not ascending')
            self.need(not any(pfn in self.said for pfn in range(first, first + count)), at, 'PFN twice')
            self.last[kind] = first + count - 1
        for n in range(count):
            self.said[first + n] = what + ((at, slot + n) if kind == REGION else (None, None),)

    def region(self, segment):
        body, at = self.body(segment), segment[3]
        codec, transform, pages, runs, depth, dictionary, zero = self.unpack(F_REGION, body, 0, at)
        self.need(codec <= 2 and not (transform or depth or dictionary or zero), at, 'region fields')
        self.need(1 <= pages <= 256 and 1 <= runs <= pages, at, 'region counts')
        names, place = [], 16 + 8 * runs
        for run in self.unpack(f'<{runs}Q', body, 16, at):
            first, count, kind = run & PFN_LIMIT - 1, (run >> 52 & 255) + 1, run >> 60
            self.need(kind in TYPES, at, f'page type {kind}')
            self.mention(REGION, first, count, (DATA, kind, 0), at, len(names))
            names += [(first + n, kind) for n in range(count)]
        self.need(len(names) == pages, at, 'runs and Page_Count differ')
        stored, full = len(body) - place, 4096 * pages
        self.need(stored == full if codec == 0 else 0 < stored < full, at, 'payload length')
        self.regions[at] = (segment[5], names, codec, at + 32 + place, stored)
        self.region_pages += pages

    @functools.lru_cache(maxsize=512)
    def expand(self, at):
        _, names, codec, start, stored = self.regions[at]
        payload = self.bytes[start:start + stored]
        pages = (lambda data, size: data, unzlib, unzstd)[codec](payload, 4096 * len(names))
        self.need(pages is not None, at, 'payload does not expand to its pages')
        return [pages[n:n + 4096] for n in range(0, len(pages), 4096)]

    def states(self, segment):
        body, at = self.body(segment), segment[3]
        self.need(body and len(body) % 24 == 0, at, 'states length')
        for first, count, state, kind, reason, zero in struct.iter_unpack(F_EXTENT, body):
            self.valid(state, kind, reason, at)
            self.need(state != DATA and not any(zero), at, 'extent')
            self.expanded += count
            self.need(self.expanded <= EXPAND_LIMIT, at, 'extents are too large for this reader')
            self.mention(STATES, first, count, (state, kind, reason), at)

    def valid(self, state, kind, reason, at):
        self.need(state < 8 and (state != UNCHANGED or self.increment), at, f'state {state}')
        self.need(kind in TYPES if state in TYPED else kind == 0, at, f'type {kind} of state {state}')
        self.need(1 <= reason <= 6 if state == EVICTED else reason == 0, at, f'reason {reason}')

    def provenance(self, segment):
        body, at, place = self.body(segment), segment[3], 0
        while place < len(body):
            key, value = self.unpack('<II', body, place, at)
            self.need(key > 0, at, 'empty key')
            self.text(body, place + 8, key, 1024, at)
            self.text(body, place + 8 + key, value, 1 << 20, at)
            place += 8 + key + value

    def layout(self):
        """The items of all layout segments; item offsets are only known within the joined bodies."""
        parts = [s for s in self.segments if s[0] == LAYOUT]
        body, at, place, used = b''.join(map(self.body, parts)), sum(s[3] for s in parts[:1]), 0, 0
        self.has_layout = bool(parts)
        while place < len(body):
            item, flag, namespace, value = self.unpack('<BBHI', body, place, at)
            place += 8
            self.need(item in (1, 2, 3, 4) and flag <= (item == 2), at, f'layout item at {place - 8}')
            self.need((namespace in (1, 2), (namespace, value) == (1, 0), namespace in (1, 2, 3),
                       namespace == 1 and 1 <= value <= 65536)[item - 1], at, 'layout item fields')
            used += item == 2
            if item == 3:
                end = place + -(-value // 8) * 8
                self.need(end <= len(body) and not any(body[place + value:end]), at, 'bytes item')
                place = end
            elif item == 4:
                batch, _, *runs = self.unpack(f'<II{2 * value}Q', body, place, at)
                self.need(1 <= batch <= 16384 and all(n and p + n <= PFN_LIMIT for p, n in zip(runs[::2], runs[1::2])),
                          at, 'pages item')
                place += 8 + 16 * value
        self.need(not parts or used == len(self.records), at, 'records and record items differ in number')

    def index(self, segment):
        body, at = self.body(segment), segment[3]
        block, count, data, runs, evicted, occupancy = self.unpack(F_INDEX, body, 0, at)
        self.need(block < PFN_LIMIT >> 9 and block > max(self.index_segments, default=-1), at, 'block number')
        bits = int.from_bytes(occupancy, 'little')
        places = [n for n in range(512) if bits >> n & 1]
        self.need(count >= 1 and len(places) == count, at, 'Entries and Occupancy')
        place = 80

        def padded(length):
            nonlocal place
            piece, end = body[place:place + length], -(-(place + length) // 8) * 8
            self.need(end <= len(body) and not any(body[place + length:end]), at, 'index padding')
            place = end
            return piece
        states = padded(count)
        out, reasons = [n for n, byte in zip(places, states) if byte & 15 == EVICTED], {}
        self.need(len(out) == evicted, at, 'Evicted')
        if evicted:
            bitmap = int.from_bytes(padded(64), 'little')
            self.need(bitmap == sum(1 << n for n in out), at, 'eviction bitmap')
            reasons = dict(zip(out, padded(evicted)))
        self.need(sum(byte & 15 == DATA for byte in states) == data, at, 'Data_Pages')
        self.need(place + 16 * runs + 32 * data == len(body), at, 'index length')
        located, before = [], None
        for offset, length, slot, kind, pages in struct.iter_unpack(F_LOCATION, body[place:place + 16 * runs]):
            size, names = self.regions.get(offset, (None, ()))[:2]
            self.need(kind == 0 and pages >= 1 and size == length, at, f'location, region at {offset:#x}')
            self.need(slot + pages <= len(names) and (offset, slot) != before, at, 'slots of a run')
            before = (offset, slot + pages)
            located += [(offset, slot + n) for n in range(pages)]
        self.need(len(located) == data, at, 'runs and Data_Pages differ')
        located = zip(located, (body[n:n + 32] for n in range(place + 16 * runs, len(body), 32)))
        for n, byte in zip(places, states):
            state, kind, reason = byte & 15, byte >> 4, reasons.get(n, 0)
            self.valid(state, kind, reason, at)
            self.need(state != UNCHANGED and (self.increment or state != UNPOPULATED), at, 'state in the index')
            found = next(located) if state == DATA else ((None, None), NOTHING)
            self.entries[512 * block + n] = (state, kind, reason) + found
        self.index_segments[block] = segment

    def root(self):
        root, trailer = self.segments[-2:]
        body, at = self.body(trailer), trailer[3]
        self.need(len(body) == 96, at, 'trailer length')
        offset, length, count, size, self.id, self.file_id = struct.unpack(F_TRAILER, body)
        self.need((offset, length) == root[3:5], at, 'Root_Offset, Root_Length')
        self.need((count, size) == (len(self.segments), len(self.bytes)), at, 'Segments, File_Length')
        body, at = self.body(root), root[3]
        self.need(sha(b'VMckpt file\0', body) == self.file_id, at, 'file ID')
        fields = self.unpack(F_ROOT, body, 0, at)
        self.memory, self.machine, identity = fields[:3]
        dead, layout, directory, blocks = fields[11:]
        self.need(identity == self.id, at, 'checkpoint IDs of root and trailer differ')
        self.need(sha(b'VMckpt checkpoint\0', self.capture, self.memory, self.machine) == identity, at, 'checkpoint ID')
        states = [entry[0] for entry in self.entries.values()]
        counts = [states.count(state) for state in range(8)]
        self.need(list(fields[3:11]) == counts, at, f'Counts: {counts} expected')
        self.need(dead == self.region_pages - counts[DATA], at, f'Dead_Copies {dead}')
        self.need(layout < 3 and bool(layout) == self.has_layout, at, 'Layout')
        self.need(len(body) == 184 + 64 * directory + 88 * blocks, at, 'root length')
        expected = [s for s in self.segments if s[0] not in (REGION, INDEX, ROOT, TRAILER)]
        found = list(struct.iter_unpack(F_DIRECTORY, body[184:184 + 64 * directory]))
        self.need(found == [s[:2] + (0,) + s[2:5] + (sha(self.body(s)),) for s in expected], at, 'directory')
        self.need(blocks == len(self.index_segments), at, 'Blocks')
        self.nodes = {}
        for (block, segment), entry in zip(self.index_segments.items(),
                                           struct.iter_unpack(F_BLOCK, body[184 + 64 * directory:])):
            self.need(entry[:3] == (block, segment[3], segment[4]), at, f'block table, block {block}')
            self.need(entry[5] == sha(self.body(segment)), at, f'index digest, block {block}')
            self.need(entry[3] < 2 and (entry[4] == NOTHING) == entry[3], at, f'block flags, block {block}')
            self.nodes[block] = None if entry[3] else entry[4]

    def contents(self):
        """Every data page of the index: name, type and digest; none of them all zero."""
        located = sorted((e[3], e[1], e[4], pfn) for pfn, e in self.entries.items() if e[0] == DATA)
        for (at, slot), kind, digest, pfn in located:
            self.need(self.regions[at][1][slot] == (pfn, kind), at, f'slot {slot} is not PFN {pfn:#x} type {kind}')
            self.need(any(self.expand(at)[slot]), at, f'zeros stored as data, PFN {pfn:#x}')
            self.need(sha(self.expand(at)[slot]) == digest, at, f'digest of PFN {pfn:#x}')

    def description(self):
        """Regions and states, the last copy winning, must say what the index says."""
        default = UNCHANGED if self.increment else UNPOPULATED
        said = {pfn: what for pfn, what in self.said.items() if what[0] != default}
        for pfn in said.keys() | self.entries.keys():
            self.need(said.get(pfn) == self.entries.get(pfn, (None,))[:4], self.segments[-2][3],
                      f'PFN {pfn:#x}: described as {said.get(pfn)}, index {self.entries.get(pfn)}')


def link(images):
    """The chain of the images, base first."""
    parents = {image.parent_id for image in images}
    chain = [next((image for image in images if image.id not in parents), images[0])]
    while chain[-1].increment:
        tip = chain[-1]
        found = [image for image in images if image.id == tip.parent_id]
        tip.need(found, 0, f'parent {tip.parent_id.hex()} ({tip.parent_name!r}) is missing')
        tip.need(found[0].file_id not in [i.file_id for i in chain], 0, 'the chain is a circle')
        tip.need((found[0].architecture, found[0].space) == (tip.architecture, tip.space), 0,
                 'architecture or address space differ from the parent')
        chain.append(found[0])
    for image in images:
        image.need(image in chain, 0, 'is not of this chain')
    return chain[::-1]


def check_moments(chain):
    """Nodes, memory digest and state digest of each image with its ancestors; the moment of the last."""
    blocks, nodes, static = {}, {}, {}
    for depth, image in enumerate(chain):
        root = image.segments[-2][3]
        for pfn, entry in image.entries.items():
            blocks.setdefault(pfn >> 9, {})[pfn & 511] = entry + (image,)
        for block, stated in image.nodes.items():
            leaves = {n: sha(bytes((0,) + e[:3]), e[4]) for n, e in blocks[block].items() if e[0] != UNPOPULATED}
            nodes[block] = node(0, leaves) if leaves else None
            image.need(nodes[block] == stated, root, f'node of block {block}')
        memory = memory_digest({block: digest for block, digest in nodes.items() if digest})
        image.need(memory == image.memory, root, 'memory digest')
        parts = [b'VMckpt machine state\0', struct.pack('<Q', len(image.records))]
        for record, payload, at in image.records:
            parts.append(struct.pack('<HHIQ32s', *record))
            image.need(payload is not None or any(r[0] == record and r[1] is not None
                       for ancestor in chain[:depth] for r in ancestor.records), at, 'payload of inherited record')
            if record[1] == 1:
                image.need(static.setdefault((record[0], record[2]), record) == record, at, 'static record differs')
        image.need(sha(*parts) == image.machine, root, 'state digest')
    return {512 * block + n: blocks[block][n] for block in sorted(blocks) for n in sorted(blocks[block])}


def main(paths):
    try:
        chain = link([Image(path) for path in paths])
        pages, counts, total = check_moments(chain), {}, hashlib.sha256()
        for pfn, (state, kind, reason, where, digest, image) in pages.items():
            if state != UNPOPULATED:
                counts[NAMES[state]] = counts.get(NAMES[state], 0) + 1
                total.update(struct.pack('<QBBB', pfn, state, kind, reason))
                if state == DATA:
                    contents = image.expand(where[0])[where[1]]
                    image.need(sha(contents) == digest, where[0], f'digest of PFN {pfn:#x}')
                    total.update(contents)
    except (Violation, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    for image in chain:
        print(f'{image.path}: sound, {len(image.segments)} segments, file ID {image.file_id.hex()}')
    tip = chain[-1]
    print(json.dumps({'checkpoint_id': tip.id.hex(), 'memory_digest': tip.memory.hex(),
                      'counts': counts, 'sha256': total.hexdigest()}))


main(sys.argv[1:]) if sys.argv[1:] else sys.exit(__doc__)
