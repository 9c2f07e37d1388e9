#!/usr/bin/env python3
"""A reader of checkpoint images, written from image-format.md alone, to be read beside it.

It opens an image with its ancestors, checks every rule of the specification, and can write the memory that the
image stands for. Numbers in comments are sections of the specification. It is plain rather than fast: it keeps the
index of each image in memory, some hundred bytes a page. Beyond the standard library it needs `zstandard`, in
Debian the package python3-zstandard.

As a module: `chain = Chain(path); chain.check()`, then `chain.findings`, `chain.obstacle` and, if the chain is
sound, `chain.page(pfn)`.
"""
import argparse
import collections
import contextlib
import functools
import hashlib
import heapq
import json
import mmap
import os
import re
import struct
import sys
import zlib
from bisect import bisect

import zstandard

HEADER, RECORD, REGION, STATES, LAYOUT, PROVENANCE, INDEX, ROOT, TRAILER = range(1, 10)
KINDS = ('', 'header', 'record', 'region', 'states', 'layout', 'provenance', 'index block', 'root', 'trailer')
UNPOPULATED, DATA, ZERO, UNCHANGED, EVICTED, ALLOCATE, BROKEN, UNREADABLE = range(8)
STATE_NAMES = 'unpopulated data zero unchanged evicted allocate-only broken unreadable'.split()
TYPED, TYPES = (DATA, ZERO, EVICTED, UNREADABLE), (0, 1, 2, 3, 4, 9, 10, 11, 12)
STATIC = 1
CODECS = 'none zlib zstd'.split()
PAGE, NOTHING, MAGIC = 4096, bytes(32), b'VMCK'

PFN_LIMIT, RECORD_LIMIT, EXACT_LIMIT = 1 << 52, 1 << 27, 1 << 24          # 17
BODY_LIMITS = collections.defaultdict(lambda: 1 << 28, {STATES: 1 << 24, LAYOUT: 1 << 24, PROVENANCE: 1 << 24})

Segment = collections.namedtuple('Segment', 'kind flags ordinal offset body_length length')
Region = collections.namedtuple('Region', 'segment codec pages payload')  # pages: (PFN, type) by slot
Entry = collections.namedtuple('Entry', 'state type reason offset slot digest')
Record = collections.namedtuple('Record', 'namespace group type length digest')
Mention = collections.namedtuple('Mention', 'first end order state type reason offset slot')


class Damage(Exception):
    """A rule of the specification that a file breaks."""

    def __init__(self, offset, structure, reason):
        super().__init__(offset, structure, reason)
        self.offset, self.structure, self.reason = offset, structure, reason


class Unsupported(Damage):
    """Something that a reader of this version must refuse by name, though nothing is wrong with it (18)."""


def sha(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def shown(value):
    return value.hex() if isinstance(value, bytes) else hex(value) if isinstance(value, int) else str(value)


class Piece:
    """The body of a segment, taken from the front; complains with the segment's place and name."""

    def __init__(self, data, offset, structure):
        self.data, self.at, self.offset, self.structure = data, 0, offset, structure

    def fail(self, reason):
        raise Damage(self.offset, self.structure, reason)

    def need(self, true, reason):
        if not true:
            self.fail(reason)

    def equal(self, what, found, expected):
        self.need(found == expected, f'{what}: found {shown(found)}, expected {shown(expected)}')

    def within(self, what, found, least, most):
        self.need(least <= found <= most, f'{what}: found {found}, expected {least} to {most}')

    @property
    def left(self):
        return len(self.data) - self.at

    def take(self, length):
        self.need(length <= self.left, f'too short: {self.left} bytes left, expected {length}')
        self.at += length
        return self.data[self.at - length:self.at]

    def fields(self, form):
        return struct.unpack('<' + form, self.take(struct.calcsize('<' + form)))

    def text(self, what, length, least, most):
        self.within(f'{what}: length', length, least, most)
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            self.fail(f'{what}: not UTF-8')

    def zeros(self, what, data):
        self.need(not any(data), f'{what}: not zero')

    def padding(self):
        self.zeros('padding', self.take(-self.at % 8))

    def end(self):
        self.need(not self.left, f'length: {self.left} bytes too many')


# ---- 14: digests

def bits(bitmap):
    value = int.from_bytes(bitmap, 'little')
    return [n for n in range(512) if value >> n & 1]


def node(level, children):
    """The digest of a node from {place: digest of the child}."""
    occupancy = sum(1 << place for place in children).to_bytes(64, 'little')
    return sha(bytes((1, level)), occupancy, *(children[place] for place in sorted(children)))


def memory_digest(nodes):
    """The one node of level 5 from {block: node of level 0}."""
    for level in range(1, 6):
        parents = collections.defaultdict(dict)
        for number, digest in nodes.items():
            parents[number // 512][number % 512] = digest
        nodes = {number: node(level, children) for number, children in parents.items()}
    return nodes.get(0) or node(5, {})


# ---- 6: contents of a region. Each gives None where the payload is not exactly `size` bytes.

def expand_none(payload, size):
    return payload


def expand_zlib(payload, size):
    stream = zlib.decompressobj()
    try:
        pages = stream.decompress(payload, size)
        pages += stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error:
        return None
    return pages if stream.eof and not stream.unused_data and len(pages) == size else None


def expand_zstd(payload, size):
    """Frame by frame, and in small steps: a few bytes may claim to be gigabytes."""
    pages, at = b'', 0
    while at < len(payload):
        frame = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        try:
            while not frame.eof:
                step = payload[at:at + 256]
                if not step or len(pages) > size:
                    return None
                at += len(step)
                pages += frame.decompress(step)
        except (zstandard.ZstdError, MemoryError):
            return None
        at -= len(frame.unused_data)
    return pages if len(pages) == size else None


EXPAND = (expand_none, expand_zlib, expand_zstd)


# ---- 13: the trailer, which is found without reading what is before it

def read_trailer(data):
    """The fields of the trailer at the end of a file's bytes, None if there is no sound one."""
    frame, body = data[-128:-96], data[-96:]
    if len(frame) != 32 or frame[:8] != struct.pack('<IHH', 0x4B434D56, TRAILER, 1):
        return None
    length, body_sum, frame_sum = struct.unpack('<16xQII', frame)
    if length != 96 or zlib.crc32(frame[:28]) != frame_sum or zlib.crc32(body) != body_sum:
        return None
    return struct.unpack('<QQQQ32s32s', body)


class Image:
    """One file. What breaks a rule is in `findings`, what this reader lacks in `obstacles`."""

    def __init__(self, path):
        self.path, self.findings, self.obstacles = path, [], []
        with open(path, 'rb') as file:
            empty = not os.fstat(file.fileno()).st_size
            self.mapped = b'' if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.data = memoryview(self.mapped)
        self.segments, self.bodies, self.about = [], {}, {}
        self.regions, self.mentions, self.latest = {}, [], {REGION: -1, STATES: -1}
        self.records, self.payloads, self.record_offsets = [], [], []
        self.layout_items, self.layout_runs, self.layout_offset = 0, [], None
        self.blocks, self.entries = {}, {}
        self.parent_id = self.parent_name = self.id = self.file_id = None

    @contextlib.contextmanager
    def judging(self):
        """A rule that is broken becomes a finding, and the check goes on behind it."""
        try:
            yield
        except Unsupported as what:
            self.obstacles.append(what)
        except Damage as what:
            self.findings.append(what)

    def finding(self, offset, structure, reason):
        self.findings.append(Damage(offset, structure, reason))

    def check(self):
        """Everything that can be judged without the ancestors."""
        readers = {HEADER: self.header, RECORD: self.record, REGION: self.region, STATES: self.states,
                   LAYOUT: self.layout, PROVENANCE: self.provenance, INDEX: self.index}
        for segment, body in self.walk():
            with self.judging():
                if segment.kind in readers:
                    readers[segment.kind](Piece(body, segment.offset, KINDS[segment.kind]), segment)
            if segment.kind == HEADER and (self.findings or self.obstacles):
                return                  # without the header nothing more can be told
        # What one structure says of another is judged when each is sound by itself.
        for rule in (self.check_order, self.check_root, self.check_contents, self.check_mentions):
            if self.findings or self.obstacles:
                return
            with self.judging():
                rule()

    # ---- 3: segments

    def walk(self):
        """Each segment whose checksums are right, with its body."""
        self.alignment, at, ordinal = 8, 0, 0
        while at < len(self.data):
            try:
                segment, body = self.segment(at, ordinal)
            except Damage as what:
                self.findings.append(what)
                if not self.segments:
                    return
                at = self.next_frame(at + 1)
                continue
            self.segments.append(segment)
            if body is None and segment.kind == HEADER:
                return
            if body is not None:
                self.bodies[segment] = body
                yield segment, body
            at, ordinal = at + segment.length, segment.ordinal + 1
            if segment.kind == TRAILER:
                break
        if not self.segments or self.segments[-1].kind != TRAILER:
            self.finding(at, 'trailer', 'there is none: the image is unfinished, or was cut')
        elif at != len(self.data):
            self.finding(at, 'trailer', f'{len(self.data) - at} bytes behind it')

    def segment(self, at, ordinal):
        """The segment at an offset; its body is None where that cannot be trusted."""
        frame = Piece(self.data[at:at + 32], at, 'frame')
        magic, kind, flags, number, length, body_sum, frame_sum = frame.fields('IHHQQII')
        frame.equal('Magic', magic, 0x4B434D56)
        frame.equal('Frame_Checksum', frame_sum, zlib.crc32(frame.data[:28]))
        frame.need((at == 0) == (kind == HEADER), f'Kind {kind} at this place')
        frame.within('Body_Length', length, 0, BODY_LIMITS[kind])
        end = at + 32 + length
        whole = end if kind == TRAILER else end + -end % self.alignment
        if kind == HEADER and len(self.data) >= end and length > 5:
            shift = self.data[at + 32 + 5]
            whole = end + -end % (1 << (shift if 3 <= shift <= 16 else 3))
        frame.need(whole <= len(self.data), f'Body_Length: found {length}, {len(self.data) - at - 32} bytes are left')
        if number != ordinal:
            self.finding(at, 'frame', f'Ordinal: found {number}, expected {ordinal}')
        segment = Segment(kind, flags, number, at, length, whole - at)
        body = self.data[at + 32:end]
        known = 1 <= kind <= 9
        with self.judging():
            if known:
                frame.equal('Flags', flags, 2 if kind == PROVENANCE else 1)
            frame.need(flags < 4, f'Flags: found {flags:#x}, bits 2 to 15 are reserved')
            piece = Piece(body, at, KINDS[kind] if known else 'segment')
            piece.equal('Body_Checksum', body_sum, zlib.crc32(self.data[at + 32:whole]))
            piece.zeros('padding', self.data[end:whole])
            if not known and flags & 1:
                self.obstacles.append(Unsupported(at, 'frame', f'critical segment of the unknown kind {kind}'))
            return segment, bytes(body)
        return segment, None

    def next_frame(self, at):
        """18: the next place where a sound frame begins."""
        at = self.mapped.find(MAGIC, at)
        while at >= 0 and at + 32 <= len(self.data):
            frame_sum, = struct.unpack_from('<I', self.data, at + 28)
            if at % self.alignment == 0 and frame_sum == zlib.crc32(self.data[at:at + 28]):
                return at
            at = self.mapped.find(MAGIC, at + 1)
        return len(self.data)

    def check_order(self):
        """2: the order of the known kinds."""
        known = [segment for segment in self.segments if 1 <= segment.kind <= 9]
        order = ''.join(str(segment.kind) for segment in known)
        good = re.match('1?[2345]*6*7*8?9?', order).end()
        if good < len(order):
            raise Damage(known[good].offset, KINDS[known[good].kind], 'out of order')
        for kind in (PROVENANCE, ROOT):
            if str(kind) not in order:
                raise Damage(known[-1].offset, KINDS[kind], 'there is none')
        if self.segments[-2:][0].kind != ROOT and self.segments[-1].kind == TRAILER:
            raise Damage(self.segments[-1].offset, 'trailer', 'the root is not right before it')

    # ---- 4: header

    def header(self, piece, segment):
        major, minor = piece.fields('HH')
        if (major, minor) != (0, 9):                                        # 16
            raise Unsupported(piece.offset, 'header', f'version {major}.{minor}; this reader knows 0.9')
        page_shift, shift, self.architecture, self.address_space, flags, names = piece.fields('BBHHHI')
        features = piece.fields('QQQ')
        self.capture_id, self.parent_id, name_length, reserved = piece.fields('16s32sII')
        piece.equal('Page_Shift', page_shift, 12)
        piece.within('Alignment_Shift', shift, 3, 16)
        piece.need(flags < 4, f'Flags: found {flags:#x}, bits 2 to 15 are reserved')
        piece.equal('reserved', reserved, 0)
        self.alignment, self.increment, self.ascending = 1 << shift, bool(flags & 1), bool(flags & 2)
        piece.need(self.increment == (self.parent_id != NOTHING),
                   f'Parent_ID: found {self.parent_id.hex()} in {"an increment" if self.increment else "a base"}')
        self.parent_name = piece.text('Parent_Name', name_length, 0, 1024 if self.increment else 0)
        piece.need(not set('/\0') & set(self.parent_name) and self.parent_name not in ('.', '..'),
                   f'Parent_Name: {self.parent_name!r} is no file name')
        unknown, last = [], (-1, -1)
        for _ in range(names):
            group, bit, length = piece.fields('BBH')
            name = piece.text('feature name', length, 1, 1024)
            piece.need(group < 3 and bit < 64 and features[group] >> bit & 1, f'feature {name!r}: bit {bit} is not set')
            piece.need((group, bit) > last, f'feature {name!r}: not in ascending order')
            last = group, bit
            if group == 0 and (bit, name) != (0, 'draft'):
                unknown.append(name)
        piece.equal('Feature_Names', names, sum(bin(group).count('1') for group in features))
        piece.end()
        if unknown:
            raise Unsupported(piece.offset, 'header', f'incompatible features: {", ".join(unknown)}')
        piece.equal('Incompatible', features[0], 1)
        for what, value, known in (('Architecture', self.architecture, (0, 1)),
                                   ('Address_Space', self.address_space, (1,))):
            if value not in known:
                raise Unsupported(piece.offset, 'header', f'{what} {value}')
        self.about[segment] = f'{"increment" if self.increment else "base"}, capture {self.capture_id.hex()}'

    # ---- 5: page states and types

    def valid(self, piece, state, kind, reason):
        piece.need(state < 8, f'State: found {state}, expected 0 to 7')
        piece.need(state != UNCHANGED or self.increment, 'State: unchanged, in a base')
        piece.need(kind in (TYPES if state in TYPED else (0,)), f'Type: found {kind}, with state {STATE_NAMES[state]}')
        piece.need(1 <= reason <= 6 if state == EVICTED else reason == 0,
                   f'Reason: found {reason}, with state {STATE_NAMES[state]}')

    def mention(self, piece, kind, first, count, *what):
        piece.need(count >= 1 and first + count <= PFN_LIMIT, f'PFN {first:#x}, {count} pages: not below 2^52')
        if self.ascending:
            if first <= self.latest[kind]:
                self.finding(piece.offset, 'header', f'ascending-unique, but PFN {first:#x} does not ascend')
            self.latest[kind] = first + count - 1
        self.mentions.append(Mention(first, first + count, len(self.mentions), *what))

    # ---- 6: region

    def region(self, piece, segment):
        codec, transform, count, runs, depth, dictionary, reserved = piece.fields('BBHHHII')
        if codec >= len(CODECS):
            self.regions[segment.offset] = Region(segment, codec, None, None)
            raise Unsupported(piece.offset, 'region', f'Codec {codec}')
        for what, value in (('Transform', transform), ('Delta_Depth', depth), ('Dictionary', dictionary),
                            ('reserved', reserved)):
            piece.equal(what, value, 0)
        piece.within('Page_Count', count, 1, 256)
        piece.within('Run_Count', runs, 1, count)
        pages = []
        for run in piece.fields(f'{runs}Q'):
            first, length, kind = run & PFN_LIMIT - 1, (run >> 52 & 255) + 1, run >> 60
            self.valid(piece, DATA, kind, 0)
            self.mention(piece, REGION, first, length, DATA, kind, 0, segment.offset, len(pages))
            pages += [(first + n, kind) for n in range(length)]
        piece.equal('pages of all runs', len(pages), count)
        if codec == 0:
            piece.equal('payload', piece.left, PAGE * count)
        else:
            piece.within('payload', piece.left, 1, PAGE * count - 1)
        self.regions[segment.offset] = Region(segment, codec, pages, piece.take(piece.left))
        self.about[segment] = f'{count} pages, {CODECS[codec]}'

    @functools.lru_cache(maxsize=64)
    def contents(self, offset):
        """The pages of the region whose frame begins there, by slot."""
        region = self.regions[offset]
        data = EXPAND[region.codec](region.payload, PAGE * len(region.pages))
        if data is None:
            raise Damage(offset, 'region', f'payload: does not expand to exactly {len(region.pages)} pages')
        return [data[n:n + PAGE] for n in range(0, len(data), PAGE)]

    # ---- 7: states

    def states(self, piece, segment):
        piece.need(piece.left, 'no extent')
        count = 0
        while piece.left:
            first, pages, state, kind, reason, reserved = piece.fields('QQBBB5s')
            piece.need(state != DATA, 'State: data')
            self.valid(piece, state, kind, reason)
            piece.zeros('reserved', reserved)
            self.mention(piece, STATES, first, pages, state, kind, reason, None, None)
            count += 1
        self.about[segment] = f'{count} extents'

    # ---- 8: records

    def record(self, piece, segment):
        namespace, group, kind, flags, reserved, length, digest = piece.fields('HHIH6sQ32s')
        piece.within('Namespace', namespace, 1, 7)
        piece.within('Class', group, 1, 3)
        piece.need(flags <= self.increment, f'Flags: found {flags:#x}' + (', in a base' if flags == 1 else ''))
        piece.zeros('reserved', reserved)
        piece.within('Length', length, 0, RECORD_LIMIT)
        piece.need(len(self.records) < 1 << 16, 'more than 65,536 records')
        payload = None
        if not flags:
            payload = piece.take(length)
            piece.equal('Digest', digest, sha(payload))
        piece.end()
        record = Record(namespace, group, kind, length, digest)
        self.records.append(record)
        self.payloads.append(payload)
        self.record_offsets.append(piece.offset)
        self.about[segment] = f'namespace {namespace}, class {group}, type {kind:#x}, {length} bytes' + ', inherited' * flags

    # ---- 9: layout

    def layout(self, piece, segment):
        piece.need(piece.left, 'no item')
        self.layout_offset = self.layout_offset if self.layout_items else piece.offset
        count = 0
        while piece.left:
            item, flag, namespace, value = piece.fields('BBHI')
            piece.within('Item', item, 1, 4)
            piece.within('Flag', flag, 0, 1 if item == 2 else 0)
            piece.need(namespace in ((1, 2), (1,), (1, 2, 3, 5, 6), (1,))[item - 1],
                       f'Namespace: found {namespace}, in item {item}')
            if item == 2:
                piece.equal('Value', value, 0)
                self.layout_items += 1
            elif item == 3:
                piece.take(value)
                piece.padding()
            elif item == 4:
                piece.within('number of runs', value, 1, 1 << 16)
                batch, _ = piece.fields('II')
                piece.within('Batch', batch, 1, 1 << 14)
                runs = piece.fields(f'{2 * value}Q')
                for first, pages in zip(runs[::2], runs[1::2]):
                    piece.need(pages >= 1 and first + pages <= PFN_LIMIT, f'PFN {first:#x}, {pages} pages: not below 2^52')
                    self.layout_runs.append((first, pages))
            count += 1
        self.about[segment] = f'{count} items'

    # ---- 10: provenance

    def provenance(self, piece, segment):
        keys = []
        while piece.left:
            key, value = piece.fields('II')
            keys.append(piece.text('key', key, 1, 1024))
            piece.text('value', value, 0, 1 << 20)
        self.about[segment] = ', '.join(keys)

    # ---- 11: index block

    def index(self, piece, segment):
        block, count, data, run_count, evicted, occupancy = piece.fields('Q4H64s')
        piece.need(block < PFN_LIMIT // 512, f'Block: found {block:#x}, not below 2^43')
        piece.need(block > max(self.blocks, default=-1), f'Block: {block:#x} does not ascend')
        places = bits(occupancy)
        piece.equal('Entries', count, len(places))
        piece.need(count, 'Entries: none')
        states = dict(zip(places, piece.take(count)))
        piece.padding()
        out = [place for place in places if states[place] & 15 == EVICTED]
        piece.equal('Evicted', evicted, len(out))
        reasons = {}
        if evicted:
            piece.equal('eviction bitmap', bits(piece.take(64)), out)
            reasons = dict(zip(out, piece.take(evicted)))
            piece.padding()
        for place, byte in states.items():
            piece.need(byte & 15 != UNCHANGED, f'PFN {512 * block + place:#x}: an entry says unchanged')
            piece.need(byte & 15 != UNPOPULATED or self.increment, f'PFN {512 * block + place:#x}: unpopulated, in a base')
            self.valid(piece, byte & 15, byte >> 4, reasons.get(place, 0))
        held = [place for place in places if states[place] & 15 == DATA]
        piece.equal('Data_Pages', data, len(held))
        locations = []
        for _ in range(run_count):
            offset, length, slot, kind, pages = piece.fields('QIBBH')
            piece.equal('Location_Kind', kind, 0)
            piece.need(pages, 'Pages: none')
            region = self.regions.get(offset)
            piece.need(region, f'Region_Offset: no region at {offset:#x}')
            piece.equal('Region_Length', length, region.segment.length)
            piece.need(region.pages is None or slot + pages <= len(region.pages),
                       f'slots {slot} to {slot + pages - 1} of a region with fewer pages')
            piece.need(not locations or locations[-1] != (offset, slot - 1), 'a run continues the one before it')
            locations += [(offset, slot + n) for n in range(pages)]
        piece.equal('pages of all runs', len(locations), data)
        located = dict(zip(held, locations))
        digests = {place: piece.take(32) for place in held}
        piece.end()
        self.blocks[block] = segment
        for place, byte in states.items():
            self.entries[512 * block + place] = Entry(
                byte & 15, byte >> 4, reasons.get(place, 0), *located.get(place, (None, None)), digests.get(place, NOTHING))
        self.about[segment] = f'block {block:#x}, {count} entries, {data} data'

    # ---- 12, 13: root and trailer

    def check_root(self):
        segment, trailer = self.segments[-2:]
        piece = Piece(self.bodies[trailer], trailer.offset, 'trailer')
        offset, length, count, size, identity, self.file_id = piece.fields('QQQQ32s32s')
        piece.end()
        piece.equal('Root_Offset', offset, segment.offset)
        piece.equal('Root_Length', length, segment.body_length)
        piece.equal('Segments', count, len(self.segments))
        piece.equal('File_Length', size, len(self.data))
        piece.equal('File_ID', self.file_id, sha(b'VMckpt file\0', self.bodies[segment]))

        piece = Piece(self.bodies[segment], segment.offset, 'root')
        self.memory_digest, self.state_digest, self.id = piece.fields('32s32s32s')
        counts, (dead, layout, directory, blocks) = piece.fields('8Q'), piece.fields('QIIQ')
        piece.equal('Checkpoint_ID', self.id, sha(b'VMckpt checkpoint\0', self.capture_id, self.memory_digest, self.state_digest))
        piece.need(identity == self.id, f'Checkpoint_ID: found {self.id.hex()}, the trailer has {identity.hex()}')
        for state, found in enumerate(counts):
            piece.equal(f'Counts: {STATE_NAMES[state]}', found, sum(entry.state == state for entry in self.entries.values()))
        piece.equal('Dead_Copies', dead, sum(len(region.pages) for region in self.regions.values()) - counts[DATA])
        piece.within('Layout', layout, 0, 2)
        self.layout_kind = layout
        piece.need((layout > 0) == any(segment.kind == LAYOUT for segment in self.segments),
                   f'Layout: found {layout}, ' + ('without' if layout else 'with') + ' layout segments')
        listed = [s for s in self.segments if s.kind not in (REGION, INDEX, ROOT, TRAILER)]
        piece.equal('Directory_Entries', directory, len(listed))
        for other in listed:
            found = piece.fields('HHIQQQ32s')
            wanted = (other.kind, other.flags, 0, other.ordinal, other.offset, other.body_length, sha(self.bodies[other]))
            for what, one, expected in zip('Kind Flags reserved Ordinal Offset Body_Length Digest'.split(), found, wanted):
                piece.equal(f'directory, segment {other.ordinal}: {what}', one, expected)
        piece.equal('Blocks', blocks, len(self.blocks))
        self.nodes = {}
        for block, other in self.blocks.items():
            number, at, length, flags, digest, index_digest = piece.fields('QQII32s32s')
            for what, one, expected in (('Block', number, block), ('Offset', at, other.offset),
                                        ('Body_Length', length, other.body_length),
                                        ('Digest', index_digest, sha(self.bodies[other]))):
                piece.equal(f'block {block:#x}: {what}', one, expected)
            piece.within(f'block {block:#x}: Flags', flags, 0, 1)
            piece.need((digest == NOTHING) == bool(flags), f'block {block:#x}: Node and Flags disagree')
            self.nodes[block] = None if flags else digest
        piece.end()
        if layout:
            Piece(b'', self.layout_offset, 'layout').equal('record items', self.layout_items, len(self.records))
        self.about[segment] = f'memory {self.memory_digest.hex()}'
        self.about[trailer] = f'checkpoint {self.id.hex()}, file {self.file_id.hex()}'

    # ---- 6, 11: regions expand, and hold the pages that the index says

    def check_contents(self):
        located = collections.defaultdict(list)
        for pfn, entry in self.entries.items():
            if entry.state == DATA:
                located[entry.offset].append((pfn, entry))
        for offset, entries in located.items():
            with self.judging():
                pages = self.contents(offset)
                piece = Piece(b'', offset, 'region')
                for pfn, entry in entries:
                    found = self.regions[offset].pages[entry.slot]
                    piece.need(found == (pfn, entry.type), f'slot {entry.slot}: found PFN {found[0]:#x} of type {found[1]}, '
                               f'expected PFN {pfn:#x} of type {entry.type}')
                    piece.need(any(pages[entry.slot]), f'PFN {pfn:#x}: zeros are stored as data')
                    piece.equal(f'PFN {pfn:#x}: SHA-256', sha(pages[entry.slot]), entry.digest)

    # ---- 7: the last copy wins, and the index says the same

    def check_mentions(self):
        default = UNCHANGED if self.increment else UNPOPULATED
        root, covered = self.segments[-2].offset, 0
        for first, end, mention in self.last_copies():
            if mention.state == default:
                continue
            # As many PFNs as there are entries are looked at, however many an extent names.
            for pfn in range(first, min(end, first + len(self.entries) + 1)):
                slot = None if mention.slot is None else mention.slot + pfn - mention.first
                said, entry = (*mention[3:7], slot), self.entries.get(pfn)
                if entry is None or entry[:5] != said:
                    raise Damage(root, 'index block', f'PFN {pfn:#x}: found {entry and entry[:5]}, the segments say {said}')
            covered += end - first
        if covered != len(self.entries):
            raise Damage(root, 'index block', f'{len(self.entries)} entries, the segments name {covered} pages')

    def last_copies(self):
        """(first PFN, end, the mention that is right there), ascending and without overlap."""
        bounds = sorted({bound for mention in self.mentions for bound in mention[:2]})
        waiting, live = sorted(self.mentions, reverse=True), []
        for first, end in zip(bounds, bounds[1:]):
            while waiting and waiting[-1].first == first:
                mention = waiting.pop()
                heapq.heappush(live, (-mention.order, mention))
            while live and live[0][1].end <= first:
                heapq.heappop(live)
            if self.ascending and sum(mention.end > first for _, mention in live) > 1:
                raise Damage(0, 'header', f'ascending-unique, but PFN {first:#x} comes twice')
            if live:
                yield first, end, live[0][1]


class Chain:
    """15: an image with its ancestors; `images` begins with the tip."""

    def __init__(self, path, folders=()):
        self.path, self.folders = path, [os.path.dirname(path) or '.', *folders]
        self.images, self.obstacle = [], None

    @property
    def findings(self):
        """(file, offset, structure, reason) of each broken rule, the base's first."""
        return [(image.path, what.offset, what.structure, what.reason)
                for image in reversed(self.images) for what in image.findings]

    @property
    def verdict(self):
        """The word, and the exit status."""
        if self.findings:
            return 'damaged', 1
        return (self.obstacle[0], 2) if self.obstacle else ('sound', 0)

    def check(self):
        path = self.path
        while path:
            image = Image(path)
            image.check()
            self.images.append(image)
            if image.obstacles and not self.obstacle:
                what = image.obstacles[0]
                self.obstacle = 'unsupported', f'{path}: byte {what.offset}: {what.structure}: {what.reason}'
            path = self.parent_of(image) if image.parent_id not in (None, NOTHING) else None
        if self.obstacle or self.findings:
            return self
        for rule in (self.check_links, self.check_records, self.check_moments, self.check_layout):
            if not self.findings and not self.obstacle:
                rule()
        return self

    def parent_of(self, child):
        """The file that carries the parent's checkpoint ID."""
        trailer = read_trailer(child.data)
        if trailer and trailer[5] in [image.file_id for image in self.images[:-1]]:
            child.finding(0, 'chain', 'comes back to the same file ID')
            return None
        if len(self.images) >= 65535:
            child.finding(0, 'chain', 'more than 65,535 images')
            return None
        names = [os.path.join(folder, child.parent_name) for folder in self.folders if child.parent_name]
        for folder in self.folders:
            names += sorted(os.path.join(folder, name) for name in os.listdir(folder))
        for name in names:
            if os.path.isfile(name) and self.checkpoint_of(name) == child.parent_id:
                return name
        for name in names[:len(self.folders) if child.parent_name else 0]:
            if os.path.isfile(name) and not self.checkpoint_of(name):
                return name             # damaged, so that its ID cannot be told: that is the finding
        if not self.obstacle:
            self.obstacle = 'missing parent', f'{child.path}: its parent, checkpoint {child.parent_id.hex()} ' \
                f'(was {child.parent_name or "without a name"}), is not in {", ".join(self.folders)}'
        return None

    @staticmethod
    def checkpoint_of(path):
        try:
            with open(path, 'rb') as file:
                file.seek(-128, os.SEEK_END)
                trailer = read_trailer(file.read())
                return trailer and trailer[4]
        except OSError:
            return None

    def check_links(self):
        for child, parent in zip(self.images, self.images[1:]):
            for what, one, other in (('Architecture', child.architecture, parent.architecture),
                                     ('Address_Space', child.address_space, parent.address_space)):
                if one != other:
                    self.obstacle = 'unsupported', f'{child.path}: {what} {one}, its parent has {other}'

    # ---- 8

    def check_records(self):
        static, carried = {}, set()
        for image in reversed(self.images):
            for record, payload, offset in zip(image.records, image.payloads, image.record_offsets):
                if payload is None and record not in carried:
                    image.finding(offset, 'record', 'no ancestor has the payload that it inherits')
                if record.group == STATIC and static.setdefault((record.namespace, record.type), record) != record:
                    image.finding(offset, 'record', 'differs from another static record of the same namespace and type')
            carried |= {record for record, payload in zip(image.records, image.payloads) if payload is not None}

    # ---- 14: what each image says of its moment

    def check_moments(self):
        blocks, nodes = collections.defaultdict(dict), {}
        for image in reversed(self.images):
            root = Piece(b'', image.segments[-2].offset, 'root')
            with image.judging():
                for pfn, entry in image.entries.items():
                    blocks[pfn // 512][pfn % 512] = entry, image
                for block, stated in image.nodes.items():
                    leaves = {place: sha(bytes((0, *entry[:3])), entry.digest)
                              for place, (entry, _) in blocks[block].items() if entry.state != UNPOPULATED}
                    nodes[block] = node(0, leaves) if leaves else None
                    root.equal(f'block {block:#x}: Node', stated, nodes[block])
                root.equal('Memory_Digest', image.memory_digest,
                           memory_digest({block: digest for block, digest in nodes.items() if digest}))
                root.equal('State_Digest', image.state_digest, sha(
                    b'VMckpt machine state\0', struct.pack('<Q', len(image.records)),
                    *(struct.pack('<HHIQ32s', *record) for record in image.records)))
        #: The moment of the tip: {PFN: (entry, image that holds it)}, ascending, without unpopulated pages.
        self.moment = {512 * block + place: blocks[block][place] for block in sorted(blocks)
                       for place in sorted(blocks[block]) if blocks[block][place][0].state != UNPOPULATED}

    # ---- 9: an exact layout names every populated page once, a canonical one has a place for them

    def check_layout(self):
        tip = self.images[0]
        piece = Piece(b'', tip.layout_offset, 'layout')
        with tip.judging():
            if tip.layout_kind == 2:
                piece.need(tip.layout_runs or not self.moment, 'no pages item, and there are populated pages')
            if tip.layout_kind != 1:
                return
            limit = EXACT_LIMIT + 8192 * len({pfn // 512 for pfn in self.moment})
            piece.within('PFNs that it names', sum(pages for _, pages in tip.layout_runs), 0, limit)
            firsts = sorted(first for first, _ in tip.layout_runs)
            ends = sorted(first + pages for first, pages in tip.layout_runs)
            for pfn in self.moment:
                piece.equal(f'PFN {pfn:#x}: times that it comes', bisect(firsts, pfn) - bisect(ends, pfn), 1)

    def page(self, pfn):
        """The 4096 bytes of a page of the tip; zeros if its state is not data. The chain must be sound."""
        entry, image = self.moment.get(pfn, (None, None))
        return image.contents(entry.offset)[entry.slot] if entry and entry.state == DATA else bytes(PAGE)

    def write_flat(self, path):
        """19: the memory of the tip, as long as its last populated page says. Pages without contents are holes."""
        with open(path, 'wb') as file:
            for pfn, (entry, _) in self.moment.items():
                if entry.state == DATA:
                    file.seek(PAGE * pfn)
                    file.write(self.page(pfn))
            file.truncate(PAGE * (max(self.moment, default=-1) + 1))


def print_structure(chain):
    for image in reversed(chain.images):
        print(image.path)
        print(f'{"offset":>12} {"ordinal":>8} {"kind":<12}{"body":>10}')
        for segment in image.segments:
            name = KINDS[segment.kind] if segment.kind in range(1, 10) else f'kind {segment.kind}'
            about = json.dumps(image.about.get(segment, ''), ensure_ascii=True)[1:-1]
            print(f'{segment.offset:>12} {segment.ordinal:>8} {name:<12}{segment.body_length:>10} {about}'.rstrip())


def report(chain):
    """What was found, as JSON can say it."""
    verdict, _ = chain.verdict
    result = {'verdict': verdict,
              'findings': [dict(zip(('file', 'offset', 'structure', 'reason'), what)) for what in chain.findings]}
    if verdict == 'sound':
        tip = chain.images[0]
        states = collections.Counter(STATE_NAMES[entry.state] for entry, _ in chain.moment.values())
        result |= {'checkpointID': tip.id.hex(), 'memoryDigest': tip.memory_digest.hex(),
                   'stateDigest': tip.state_digest.hex(), 'fileID': tip.file_id.hex(), 'pages': dict(states)}
    elif chain.obstacle:
        result['obstacle'] = chain.obstacle[1]
    return result


def main():
    parser = argparse.ArgumentParser(
        description='Check a checkpoint image and its ancestors against the specification of the format.',
        epilog='Exit status: 0 sound, 1 damaged, 2 unsupported, a parent is missing, or a file cannot be read.')
    parser.add_argument('image')
    parser.add_argument('--search', metavar='FOLDER', action='append', default=[], help='look for parents there too')
    parser.add_argument('--structure', action='store_true', help='print the segments of each file')
    parser.add_argument('--flat', metavar='FILE', help='write the memory, if the chain is sound')
    parser.add_argument('--json', action='store_true', help='print the result as JSON')
    options = parser.parse_args()
    try:
        chain = Chain(options.image, options.search).check()
        verdict, status = chain.verdict
        if options.structure:
            print_structure(chain)
        if options.flat and status == 0:
            chain.write_flat(options.flat)
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    if options.json:
        print(json.dumps(report(chain)))
    else:
        for file, offset, structure, reason in chain.findings:
            print(f'{file}: byte {offset}: {structure}: {reason}')
        print(f'{verdict}: {chain.obstacle[1]}' if verdict != 'damaged' and chain.obstacle else verdict)
    sys.exit(status)


if __name__ == '__main__':
    main()
