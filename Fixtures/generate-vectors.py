#!/usr/bin/env python3
"""generate-vectors.py [--large] FOLDER: small images, sound ones and ones with one defect each.

Writes NAME.ckpt and NAME.txt for each. The text says what the image is, what a verifier must say of it, which
structure it finds wrong, and the memory digest of what may be released. Whatever covers the defect (checksums,
digests, identities) is right, unless that is the defect. The bytes are the same in every run; they are made by
the writer that stands beside the specification. --large writes, instead, the few that are too large to keep.
"""
import hashlib
import os
import struct
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'Spec'))
import write_image
from write_image import (ALLOCATE, DATA, EVICTED, HEADER, INDEX, LAYOUT, PROVENANCE, RECORD, REGION, ROOT, STATES,
                         TRAILER, UNCHANGED, UNPOPULATED, ZERO, sha)

BROKEN, UNREADABLE = 6, 7
NONE, ZLIB, ZSTD = range(3)
pack = struct.pack
full = [bytes([n]) * 4096 for n in range(256)]


def fixed_zlib(payload):
    """A zlib stream of runs in fixed Huffman codes: the same bytes whatever zlib is installed."""
    bits, count = 0b011, 3

    def put(value, width, reverse=False):
        nonlocal bits, count
        value = int(f'{value:0{width}b}'[::-1], 2) if reverse else value
        bits |= value << count
        count += width
    at = 0
    while at < len(payload):
        byte = payload[at]
        put(*((0x30 + byte, 8) if byte < 144 else (0x190 + byte - 144, 9)), reverse=True)
        end = at + 1
        while end < len(payload) and payload[end] == byte:
            end += 1
        while end - at > 258:                   # length 258 at distance 1
            put(0b11000101, 8, reverse=True)
            put(0, 5)
            at += 258
        for _ in range(at + 1, end):
            put(*((0x30 + byte, 8) if byte < 144 else (0x190 + byte - 144, 9)), reverse=True)
        at = end
    put(0, 7)
    return b'\x78\x01' + bits.to_bytes(-(-count // 8), 'little') + pack('>I', zlib.adler32(payload))


def zstd_frame(payload, size=None, last=1):
    """A zstd frame with one RLE block a page; each page must repeat one byte."""
    blocks = b''
    for at in range(0, len(payload), 4096):
        end = last if at + 4096 == len(payload) else 0
        blocks += pack('<I', end | 1 << 1 | 4096 << 3)[:3] + payload[at:at + 1]
    return pack('<IBI', 0xFD2FB528, 0xA0, len(payload) if size is None else size) + blocks


class Image(write_image.Image):
    """A writer with a defect. `edit` changes bodies, `frame` changes frames: {kind: function}; {kind: [functions]}
    counts through the segments of a kind. `move` writes segments elsewhere."""

    def __init__(self, name, parent=None, parent_name='', edit={}, frame={}, flags={}, move=None, capture=None, alignment=8):
        self.edits, self.frames, self.given_flags, self.move = edit, frame, flags, move
        self.counts, self.alignment = {}, alignment
        super().__init__(parent, parent_name, capture or hashlib.sha256(name.encode()).digest()[:16])

    def compress(self, codec, payload):
        return (bytes, fixed_zlib, zstd_frame)[codec](payload)

    def change(self, changes, kind, data):
        function = changes.get(kind)
        if isinstance(function, list):
            number = self.counts.setdefault((id(changes), kind), 0)
            self.counts[id(changes), kind] += 1
            function = function[number] if number < len(function) else None
        return function(data) if function else data

    def edited(self, kind, body):
        return self.change(self.edits, kind, body)

    def framed(self, kind, frame):
        return self.change(self.frames, kind, frame)

    def segment(self, kind, body, flags=None):
        if self.move:
            return self.move(self, kind, body, flags)
        return self.write(kind, body, flags)

    def write(self, kind, body, flags=None):
        return super().segment(kind, body, self.given_flags.get(kind, flags))


class Vectors:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def add(self, name, what, expect, structure, fill, raw=None, **options):
        image = Image(name, **options)
        fill(image)
        image.finish()
        self.write(name, what, expect, structure, raw(bytes(image.out)) if raw else image.out, image)
        return image

    def write(self, name, what, expect, structure, data, image=None):
        release = write_image.memory_digest(image.moment).hex() if expect == 'sound' else 'nothing'
        with open(os.path.join(self.folder, name + '.ckpt'), 'wb') as file:
            file.write(data)
        with open(os.path.join(self.folder, name + '.txt'), 'w') as file:
            file.write(f'what: {what}\nexpect: {expect}\nstructure: {structure or "none"}\nrelease: {release}\n')

    def sound(self, name, what, fill, **options):
        return self.add(name, what, 'sound', None, fill, **options)

    def damaged(self, name, structure, what, fill, **options):
        return self.add(name, what, 'damaged', structure, fill, **options)

    def unsupported(self, name, structure, what, fill, **options):
        return self.add(name, what, 'unsupported', structure, fill, **options)

    def orphan(self, name, what, fill, **options):
        return self.add(name, what, 'missing parent', None, fill, **options)


# ---- pieces of images

def page(image, pfn=5, byte=1, kind=0, codec=ZSTD):
    image.region(codec, {pfn: (kind, full[byte])})


def usual(image):
    """A page, an extent, a record."""
    image.record(1, 3, 7, b'x')
    page(image)
    image.states((9, 1, ZERO, 0, 0))


def put(at, form, *values):
    """An edit that writes fields at an offset."""
    return lambda data: data[:at] + pack('<' + form, *values) + data[at + struct.calcsize('<' + form):]


def flip(at, bit=0):
    return lambda data: data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:] if at >= 0 else flip(len(data) + at)(data)


def extent(image, *extents):
    """States as they are named, without an entry in the index."""
    image.segment(STATES, b''.join(pack('<QQBBB5x', *one) for one in extents))


def region(image, names, payload, codec=NONE, pages=None, runs=None, head=(0, 0, 0, 0)):
    """A region of any bytes whose pages go into the index as they are named."""
    named = [pfn for pfn, _ in names] if runs is None else runs
    transform, depth, dictionary, reserved = head
    at = image.segment(REGION, pack('<BBHHHII', codec, transform, pages or len(names), len(named), depth, dictionary, reserved)
                       + b''.join(pack('<Q', run) for run in named) + payload)
    image.regions[at] = len(image.out) - at
    image.stored += len(names)
    for slot, (pfn, contents) in enumerate(names):
        image.entries[pfn] = (DATA, 0, 0, contents, at, slot)


def policy(image, text=b'policy', inherited=False):
    image.record(1, 1, 0x11, text, inherited)


two = [(5, full[1]), (6, full[1])]


def offset_of(data, kind, number=0):
    """Where the frame of a segment begins, in images with an alignment of 8."""
    at = 0
    while True:
        found, length = struct.unpack_from('<4xH10xQ', data, at)
        if found == kind:
            if number == 0:
                return at
            number -= 1
        at += 32 + length + -length % 8


# ---- the vectors, by structure

def odd_but_legal(add):
    add.sound('empty-guest', 'a guest without any page', lambda image: None)
    add.sound('one-page', 'one page and nothing else', page)
    add.sound('all-zero', 'every page of two blocks is zero', lambda image: image.states((0, 1024, ZERO, 0, 0)))
    add.sound('all-evicted', 'every page of a block is evicted, for each reason in turn', lambda image: image.states(
        *((n, 1, EVICTED, 0, n % 6 + 1) for n in range(512))))
    add.sound('each-state', 'every state that a base can have, and every type', lambda image: (
        image.region(ZSTD, {n: (kind, full[n + 1]) for n, kind in enumerate((0, 1, 2, 3, 4, 9, 10, 11, 12))}),
        image.states((20, 1, ZERO, 12, 0), (21, 1, EVICTED, 9, 5), (22, 1, ALLOCATE, 0, 0), (23, 1, BROKEN, 0, 0),
                     (24, 1, UNREADABLE, 1, 0))))
    add.sound('hole-of-2-to-40', 'two pages, 2^40 pages apart', lambda image: (page(image, 0), page(image, 1 << 40, 2)))
    add.sound('highest-pfn', 'the last page that can be named', lambda image: page(image, (1 << 52) - 1))
    for codec, name in enumerate(('none', 'zlib', 'zstd')):
        add.sound(f'codec-{name}', f'a region with codec {codec}',
                  lambda image, codec=codec: image.region(codec, {5: (0, full[1]), 6: (0, full[2])}))
    add.sound('zstd-two-frames', 'a zstd payload of two frames, one without a size, and a skippable one', lambda image: region(
        image, two, zstd_frame(full[1]) + pack('<II', 0x184D2A50, 3) + b'abc'
        + pack('<IBB', 0xFD2FB528, 0, 0x50) + pack('<I', 1 | 1 << 1 | 4096 << 3)[:3] + b'\1', codec=ZSTD))
    add.sound('regions-of-one-page', 'three regions of one page each', lambda image: [page(image, n, n) for n in (1, 2, 3)])
    add.sound('region-of-256-pages', 'as many pages as a region can have', lambda image: image.region(
        ZSTD, {n: (0, full[n % 255 + 1]) for n in range(256)}))
    add.sound('regions-descending', 'pages in descending order', lambda image: image.region(
        ZSTD, {n: (0, full[n]) for n in (9, 7, 5)}))
    add.sound('runs-split', 'two runs where one would do', lambda image: region(image, two, full[1] * 2))
    add.sound('extents-split', 'two extents where one would do',
              lambda image: image.states((5, 1, ZERO, 0, 0), (6, 1, ZERO, 0, 0)))
    add.sound('dead-copies', 'a page stored twice: the later copy is right', lambda image: (page(image), page(image, byte=2)))
    add.sound('dead-copy-in-region', 'a page twice in one region: the later copy is right', lambda image: region(
        image, [(5, full[1]), (5, full[2])], full[1] + full[2]))
    add.sound('dead-zeros', 'a dead copy may be a page of zeros', lambda image: (
        image.region(NONE, {5: (0, bytes(4096)), 6: (0, full[1])}), image.states((5, 1, ZERO, 0, 0))))
    add.sound('dead-region', 'a region none of whose pages is right', lambda image: (
        page(image), image.states((5, 1, ZERO, 0, 0))))
    add.sound('dead-region-not-expandable', 'a region none of whose pages is right, and which does not expand', lambda image: (
        region(image, two, fixed_zlib(full[1])[:-5], ZLIB), image.states((5, 2, ZERO, 0, 0))))
    add.sound('states-overrule-states', 'three extents say several things of a page', lambda image: (
        extent(image, (0, 512, ZERO, 0, 0), (0, 512, UNPOPULATED, 0, 0)), image.states((7, 1, BROKEN, 0, 0))))
    add.sound('everything-unpopulated', 'an extent over all 2^52 pages says that there are none',
              lambda image: extent(image, (0, 1 << 52, UNPOPULATED, 0, 0)))
    add.sound('unpopulated-overruled', 'an extent over all 2^52 pages, and a page behind it',
              lambda image: (extent(image, (0, 1 << 52, UNPOPULATED, 0, 0)), page(image)))
    add.sound('unknown-segment', 'a segment of an unknown kind that is neither critical nor copy-safe',
              lambda image: (image.segment(200, b'hello', 0), page(image)))
    add.sound('unknown-copy-safe', 'a copy-safe segment of an unknown kind',
              lambda image: (image.segment(200, b'hello', 2), page(image)))
    add.sound('unknown-empty', 'a segment of an unknown kind without a body',
              lambda image: (image.segment(65535, b'', 0), page(image)))

    add.sound('unknown-among-index', 'an unknown segment between index and provenance',
              page, move=lambda image, kind, body, flags: (
                  kind == INDEX and image.write(200, b'hello', 2), image.write(kind, body, flags))[1])
    add.sound('provenance-twice', 'the history has two segments', page, move=lambda image, kind, body, flags: (
        kind == PROVENANCE and image.write(kind, body, flags), image.write(kind, body, flags))[1])
    add.sound('provenance-without-fields', 'a history that says nothing', page, edit={PROVENANCE: lambda body: b''})
    add.sound('provenance-key-twice', 'two fields with one key: the first counts', page,
              edit={PROVENANCE: lambda body: body + body})
    for shift in (4, 12):
        add.sound(f'alignment-{shift}', f'segments start at multiples of 2^{shift}', usual, alignment=1 << shift)
    add.sound('record-type-unknown', 'a record of an unknown type', lambda image: image.record(1, 3, 0x7777, b'x'))
    add.sound('record-header-short', 'a stream header of one byte: payloads are opaque', lambda image: image.record(4, 3, 1, b'x'))
    add.sound('record-namespaces', 'a record of each namespace', lambda image: [
        image.record(namespace, 3, 1, b'x') for namespace in range(1, 8)])
    add.sound('record-empty', 'a record without a payload', lambda image: image.record(1, 3, 7, b''))
    add.sound('static-twice', 'a static record twice, both equal', lambda image: (policy(image), policy(image)))
    add.sound('feature-compatible', 'a compatible feature that no reader knows', page, edit={HEADER: lambda body: (
        put(24, 'Q', 8)(put(12, 'I', 2)(body)) + pack('<BBH', 1, 3, 5) + b'later')})
    add.sound('feature-drop-on-rewrite', 'a drop-on-rewrite feature that no reader knows', page, edit={HEADER: lambda body: (
        put(32, 'Q', 1 << 63)(put(12, 'I', 2)(body)) + pack('<BBH', 2, 63, 5) + b'later')})
    add.sound('architecture-0', 'plain memory: no architecture is named', page, edit={HEADER: put(6, 'H', 0)})
    add.sound('ascending-unique', 'pages and extents ascend, interleaved', lambda image: (
        page(image), image.states((1, 1, ZERO, 0, 0), (9, 1, ZERO, 0, 0)), page(image, 6)), edit={HEADER: put(10, 'H', 2)})


def frames(add):
    def sealed(name, what, kind, edit, structure='frame', **options):
        add.damaged('frame-' + name, structure, what, usual, frame={kind: edit}, **options)
    sealed('magic', 'a frame with another magic', STATES, put(0, 'I', 0x4B434D57))
    add.damaged('frame-checksum', 'frame', 'a bit of a frame is not what its checksum covers', usual,
                raw=lambda data: flip(offset_of(data, STATES) + 30)(data))
    sealed('flags-reserved', 'a known kind with a reserved flag', STATES, put(6, 'H', 5))
    sealed('flags-of-record', 'a record that is marked copy-safe', RECORD, put(6, 'H', 3))
    sealed('flags-of-provenance', 'a history that is marked critical', PROVENANCE, put(6, 'H', 1))
    add.damaged('frame-flags-of-unknown', 'frame', 'an unknown kind with a reserved flag',
                lambda image: (image.segment(200, b'hello', 4), page(image)))
    add.unsupported('frame-critical', 'frame', 'a critical segment of an unknown kind',
                    lambda image: (image.segment(200, b'hello', 1), page(image)))
    add.unsupported('frame-kind-0', 'frame', 'a critical segment of kind 0',
                    lambda image: (image.segment(0, b'', 1), page(image)))
    sealed('ordinal-gap', 'ordinals with a gap', STATES, put(8, 'Q', 77))
    sealed('ordinal-again', 'an ordinal that comes twice', STATES, put(8, 'Q', 2))
    sealed('length-past-end', 'a body that ends behind the file', STATES, put(16, 'Q', 1 << 20))
    sealed('length-2-to-64', 'a length that overflows', STATES, put(16, 'Q', 2**64 - 1))
    sealed('length-short', 'a body that ends too early', RECORD, put(16, 'Q', 8))
    add.damaged('body-checksum', 'states', 'a checksum that is not the body\'s', usual, frame={STATES: flip(24)})
    add.damaged('body-flipped', 'states', 'a flipped bit in a body', usual,
                raw=lambda data: flip(offset_of(data, STATES) + 40)(data))
    add.damaged('padding-flipped', 'record', 'a flipped bit in the padding', usual,
                raw=lambda data: flip(offset_of(data, RECORD) + 32 + 57)(data))

    def dirty(data):
        at = offset_of(data, RECORD)
        body = data[at + 32:at + 32 + 57] + b'dirty!!'
        frame = data[at:at + 24] + pack('<I', zlib.crc32(body))
        return data[:at] + frame + pack('<I', zlib.crc32(frame)) + body + data[at + 96:]
    add.damaged('padding-not-zero', 'record', 'padding that is not zero, though its checksum is right', usual, raw=dirty)


def file_as_a_whole(add):
    add.write('file-empty', 'a file without a byte', 'damaged', 'trailer', b'')
    add.write('file-text', 'a letter', 'damaged', 'frame', b'Dear Sir or Madam,\n' * 20)
    cuts = (('trailer', lambda data: -128, 'the trailer is gone: an unfinished capture'),
            ('half-trailer', lambda data: -60, 'half of the trailer is gone'),
            ('root', lambda data: offset_of(data, ROOT), 'root and trailer are gone'),
            ('index', lambda data: offset_of(data, INDEX), 'all from the index on is gone'),
            ('half-states', lambda data: offset_of(data, STATES) + 40, 'cut within a segment of states'),
            ('half-header', lambda data: 60, 'cut within the header'),
            ('half-frame', lambda data: 20, 'cut within the first frame'))
    for name, place, what in cuts:
        structure = 'frame' if 'half' in name else 'trailer'
        add.damaged('cut-' + name, structure, what, usual, raw=lambda data, place=place: data[:place(data)])
    add.damaged('tail-byte', 'trailer', 'a byte behind the trailer', usual, raw=lambda data: data + b'\0')
    add.damaged('tail-trailer', 'trailer', 'the trailer twice', usual, raw=lambda data: data + data[-128:])
    add.damaged('tail-image', 'trailer', 'the whole image twice', usual, raw=lambda data: data * 2)
    add.damaged('sector-lost', 'frame', '64 bytes in the middle are zero', usual, raw=lambda data: (
        data[:offset_of(data, REGION)] + bytes(64) + data[offset_of(data, REGION) + 64:]))
    add.damaged('segment-lost', 'frame', 'a segment is missing', usual, raw=lambda data: (
        data[:offset_of(data, STATES)] + data[offset_of(data, PROVENANCE):]))
    add.damaged('segment-moved', 'frame', 'two segments have changed places', usual, raw=lambda data: (
        data[:offset_of(data, REGION)] + data[offset_of(data, STATES):offset_of(data, PROVENANCE)]
        + data[offset_of(data, REGION):offset_of(data, STATES)] + data[offset_of(data, PROVENANCE):]))

    add.damaged('order-two-headers', 'frame', 'a second header', lambda image: (
        image.segment(HEADER, image.out[32:137]), page(image)))
    add.damaged('order-early-index', 'index block', 'an index block before the history', page, move=lambda image, kind, body, flags: (
        kind == PROVENANCE and image.write(INDEX, pack('<Q4H', 0, 1, 0, 0, 0) + pack('<8Q', 1 << 9, *[0] * 7) + b'\2' + bytes(7)),
        image.write(kind, body, flags))[1])
    add.damaged('order-late-record', 'record', 'a record behind the history', page, move=lambda image, kind, body, flags: (
        image.write(kind, body, flags), kind == PROVENANCE and image.record(1, 3, 7, b'x'))[0])

    def late(image, kind, body, flags):
        if kind == PROVENANCE:
            return 0
        at = image.write(kind, body, flags)
        kept = image.body
        if kind == INDEX:
            image.write(PROVENANCE, b'')
            image.body = kept
        return at
    add.damaged('order-late-provenance', 'provenance', 'the history behind the index', page, move=late)
    add.damaged('order-no-provenance', 'provenance', 'no history', page, move=lambda image, kind, body, flags: (
        0 if kind == PROVENANCE else image.write(kind, body, flags)))

    def behind_root(image, kind, body, flags):
        at = image.write(kind, body, flags)
        kept = image.body
        if kind == ROOT:
            image.write(200, b'hello', 2)
            image.body = kept
        return at
    add.damaged('order-unknown-behind-root', 'trailer', 'an unknown segment between root and trailer', page, move=behind_root)


def headers(add):
    def header(name, what, edit, fill=page, **options):
        add.damaged('header-' + name, 'header', what, fill, edit={HEADER: edit}, **options)

    def foreign(name, what, edit):
        add.unsupported('header-' + name, 'header', what, page, edit={HEADER: edit})
    foreign('major', 'major version 1', put(0, 'H', 1))
    foreign('minor', 'version 0.10', put(2, 'H', 10))
    foreign('architecture', 'an unknown architecture', put(6, 'H', 2))
    foreign('address-space', 'an unknown address space', put(8, 'H', 2))
    foreign('address-space-0', 'address space 0', put(8, 'H', 0))
    foreign('feature-name', 'the bit of the feature draft has another name', put(100, '5s', b'other'))
    foreign('feature-incompatible', 'an incompatible feature', lambda body: (
        put(16, 'Q', 3)(put(12, 'I', 2)(body)) + pack('<BBH', 0, 1, 4) + b'page'))
    header('page-shift', 'pages of another size', put(4, 'B', 13))
    header('alignment-2', 'an alignment below the least', put(5, 'B', 2))
    header('alignment-17', 'an alignment above the largest', put(5, 'B', 17))
    header('alignment-63', 'an alignment that overflows', put(5, 'B', 63))
    header('flags', 'a reserved flag', put(10, 'H', 4))
    header('reserved', 'a reserved field that is not zero', put(92, 'I', 1))
    header('parent-of-base', 'a base with the ID of a parent', put(56, 'Q', 1))
    header('increment-without-parent', 'an increment without the ID of a parent', put(10, 'H', 1))
    header('parent-name-of-base', 'a base with the name of a parent', lambda body: put(88, 'I', 1)(body[:96] + b'x' + body[96:]))
    header('parent-name-length', 'a name far longer than the header', put(88, 'I', 2**32 - 1))
    header('length', 'a byte too many', lambda body: body + b'\0')
    header('length-short', 'a byte too few', lambda body: body[:-1])
    header('length-95', 'not even the fixed fields', lambda body: body[:95])
    header('no-draft', 'the feature draft is missing', lambda body: put(16, 'Q', 0)(put(12, 'I', 0)(body))[:96])
    later = pack('<BBH', 1, 3, 5) + b'later'
    header('feature-order', 'features in descending order', lambda body: (
        put(24, 'Q', 8)(put(12, 'I', 2)(body))[:96] + later + body[96:]))
    header('feature-twice', 'a feature that is named twice', lambda body: put(12, 'I', 2)(body) + body[96:])
    header('feature-unnamed', 'a feature without a name', lambda body: put(24, 'Q', 8)(body))
    header('feature-not-set', 'a name for a feature that is not set', lambda body: put(12, 'I', 2)(body) + later)
    header('feature-class', 'a feature of an unknown class', put(96, 'B', 3))
    header('feature-bit', 'a feature with bit 64', put(97, 'B', 64))
    header('feature-count', 'more features than there are bits', put(12, 'I', 2**32 - 1))
    header('feature-name-utf8', 'the name of a feature is not UTF-8', put(100, 'B', 0xFF))
    header('feature-name-empty', 'the name of a feature is empty', lambda body: put(98, 'H', 0)(body)[:100])
    header('feature-name-long', 'the name of a feature with 1025 bytes', lambda body: (
        put(24, 'Q', 8)(put(12, 'I', 2)(body)) + pack('<BBH', 1, 3, 1025) + b'x' * 1025))
    unique = put(10, 'H', 2)
    header('ascending-descends', 'ascending-unique is claimed, but pages descend', unique,
           lambda image: image.region(ZSTD, {5: (0, full[1]), 4: (0, full[1])}))
    header('ascending-states-descend', 'ascending-unique is claimed, but extents descend', unique,
           lambda image: image.states((5, 1, ZERO, 0, 0), (4, 1, ZERO, 0, 0)))
    header('ascending-regions-descend', 'ascending-unique is claimed, but regions descend', unique,
           lambda image: (page(image, 6), page(image, 5)))
    header('ascending-twice', 'ascending-unique is claimed, but a page is in a region and an extent', unique,
           lambda image: (page(image), image.states((5, 1, ZERO, 0, 0))))
    header('ascending-again', 'ascending-unique is claimed, but a page comes twice', unique,
           lambda image: (page(image), page(image)))


def regions(add):
    def damaged(name, what, fill, **options):
        add.damaged('region-' + name, 'region', what, fill, **options)

    def of_two(name, what, payload, codec=NONE, **options):
        damaged(name, what, lambda image: region(image, two, payload, codec, **options))
    pages = full[1] * 2
    add.unsupported('region-codec', 'region', 'an unknown codec', lambda image: region(image, two, zstd_frame(pages), 9))
    add.unsupported('region-codec-dead', 'region', 'an unknown codec, in a region of dead copies', lambda image: (
        region(image, two, zstd_frame(pages), 9), image.states((5, 2, ZERO, 0, 0))))
    for at, field in enumerate(('transform', 'delta-depth', 'dictionary', 'reserved')):
        of_two(field, f'{field} is not 0', pages, head=tuple(int(n == at) for n in range(4)))
    of_two('page-count-300', 'more pages than a region may have', pages, pages=300)
    damaged('page-count-0', 'a region without pages', lambda image: (region(image, [], b''), page(image)))
    of_two('page-count-long', 'fewer pages than the runs name', pages, pages=1)
    of_two('page-count-short', 'more pages than the runs name', full[1] * 3, pages=3)
    of_two('runs-none', 'pages without runs', pages, runs=[])
    of_two('run-count', 'more runs than there are bytes', pages, runs=[])
    of_two('run-past-end', 'a run that ends behind the last page', pages, runs=[(1 << 52) - 1 | 1 << 52])
    of_two('type', 'a page type that does not exist', pages, runs=[5 | 1 << 52 | 5 << 60])
    of_two('stored-short', 'fewer bytes than the pages have', full[1])
    of_two('stored-long', 'more bytes than the pages have', full[1] * 3)
    of_two('payload-not-shorter', 'a compressed payload as long as the pages', zstd_frame(pages)
           + pack('<II', 0x184D2A50, 8192 - len(zstd_frame(pages)) - 8) + bytes(8192 - len(zstd_frame(pages)) - 8), ZSTD)
    of_two('payload-empty', 'no payload', b'', ZSTD)
    packed = fixed_zlib(pages)
    of_two('zlib-tail', 'a byte behind the zlib stream', packed + b'\0', ZLIB)
    of_two('zlib-short', 'a payload that expands to less', fixed_zlib(full[1]), ZLIB)
    of_two('zlib-long', 'a payload that expands to more', fixed_zlib(full[1] * 3), ZLIB)
    of_two('zlib-bomb', 'a payload that expands to far more', fixed_zlib(bytes(1 << 20)), ZLIB)
    of_two('zlib-cut', 'a zlib stream without its end', packed[:-5], ZLIB)
    of_two('zlib-checksum', 'a zlib stream with a wrong checksum', flip(-1)(packed), ZLIB)
    of_two('zlib-raw', 'a deflate stream without zlib\'s header', packed[2:-4], ZLIB)
    of_two('zlib-dictionary', 'a zlib stream that wants a dictionary', b'\x78\x20' + bytes(4) + packed[2:], ZLIB)
    of_two('zlib-twice', 'two zlib streams, a page each', fixed_zlib(full[1]) * 2, ZLIB)
    of_two('zstd-short', 'a payload that expands to less', zstd_frame(full[1]), ZSTD)
    of_two('zstd-long', 'a payload that expands to more', zstd_frame(full[1] * 3), ZSTD)
    of_two('zstd-cut', 'a zstd frame without its last block', zstd_frame(pages)[:-4], ZSTD)
    of_two('zstd-no-last', 'a zstd frame whose last block is not the last', zstd_frame(pages, last=0), ZSTD)
    of_two('zstd-tail', 'bytes behind the zstd frame', zstd_frame(pages) + b'\0\0\0\0', ZSTD)
    of_two('zstd-tail-byte', 'a byte behind the zstd frame', zstd_frame(pages) + b'\0', ZSTD)
    of_two('zstd-skippable-cut', 'a skippable frame that is longer than the payload',
           zstd_frame(pages) + pack('<II', 0x184D2A50, 9), ZSTD)
    of_two('zstd-size', 'a zstd frame that claims another size', zstd_frame(pages, 4096), ZSTD)
    of_two('zstd-claims-much', 'a zstd frame that claims 2^62 bytes',
           pack('<IBQ', 0xFD2FB528, 0xE0, 1 << 62) + bytes(8), ZSTD)
    of_two('zstd-window', 'a zstd frame with a window of 2^41 bytes', pack('<IBB', 0xFD2FB528, 0, 0xF8) + bytes(8), ZSTD)
    of_two('zstd-bomb', 'a zstd frame of blocks that repeat 128 KiB each', pack('<IBB', 0xFD2FB528, 0, 0x38)
           + (pack('<I', 1 << 1 | 1 << 17 << 3)[:3] + b'\1') * 200 + pack('<I', 1)[:3], ZSTD)
    damaged('zeros-as-data', 'a page of zeros that is stored as data', lambda image: image.region(NONE, {5: (0, bytes(4096))}))
    damaged('pfn', 'a region with another PFN than the index says', lambda image: region(image, two, pages, runs=[4, 6]))
    damaged('type-differs', 'a region with another type than the index says', lambda image: region(
        image, two, pages, runs=[5 | 9 << 60, 6]))
    add.damaged('region-short', 'region', 'a body without the fixed fields', page, edit={REGION: lambda body: body[:15]})


def states(add):
    def damaged(name, what, *extents):
        add.damaged('states-' + name, 'states', what, lambda image: (page(image), extent(image, *extents)))
    damaged('empty', 'a segment without an extent')
    damaged('count-0', 'an extent of no pages', (9, 0, ZERO, 0, 0))
    damaged('past-end', 'an extent that ends behind the last page', (1, 1 << 52, ZERO, 0, 0))
    damaged('overflow', 'an extent whose end overflows', (1, 2**64 - 1, ZERO, 0, 0))
    damaged('pfn', 'a PFN of 2^52', (1 << 52, 1, ZERO, 0, 0))
    damaged('data', 'an extent of the state data', (9, 1, DATA, 0, 0))
    damaged('unchanged-in-base', 'an extent of the state unchanged, in a base', (9, 1, UNCHANGED, 0, 0))
    damaged('state-8', 'an unknown state', (9, 1, 8, 0, 0))
    damaged('type', 'a page type that does not exist', (9, 1, ZERO, 5, 0))
    damaged('type-of-allocate', 'a state without a type, with one', (9, 1, ALLOCATE, 9, 0))
    damaged('reason-missing', 'evicted without a reason', (9, 1, EVICTED, 0, 0))
    damaged('reason-7', 'evicted for an unknown reason', (9, 1, EVICTED, 0, 7))
    damaged('reason-of-zero', 'a zero page with a reason', (9, 1, ZERO, 0, 1))
    add.damaged('states-reserved', 'states', 'a reserved byte that is not zero', usual, edit={STATES: put(19, 'B', 1)})
    add.damaged('states-length', 'states', 'half an extent', usual, edit={STATES: lambda body: body + body[:12]})


def disagreements(add):
    def damaged(name, what, fill, structure='index block', **options):
        add.damaged('index-' + name, structure, what, fill, **options)
    damaged('not-stated', 'an entry that no segment states', lambda image: image.entries.update(
        {5: (ZERO, 0, 0, None, None, None)}))
    damaged('missing-entry', 'a stated page without an entry', lambda image: (page(image), extent(image, (9, 1, ZERO, 0, 0))))
    damaged('missing-all', 'all 2^52 pages are stated, none has an entry', lambda image: extent(image, (0, 1 << 52, ZERO, 0, 0)))
    damaged('other-state', 'an entry of another state than the extent', lambda image: (
        extent(image, (9, 1, ZERO, 0, 0)), image.entries.update({9: (BROKEN, 0, 0, None, None, None)})))
    damaged('other-reason', 'an entry with another reason than the extent', lambda image: (
        extent(image, (9, 1, EVICTED, 0, 1)), image.entries.update({9: (EVICTED, 0, 2, None, None, None)})))

    def first_copy(byte):
        def fill(image):
            page(image)
            first = dict(image.entries)
            page(image, byte=byte)
            image.entries.update(first)
        return fill
    damaged('first-copy', 'the index has the first copy of a page', first_copy(2))
    damaged('first-of-equals', 'the index has the first of two equal copies', first_copy(1))
    damaged('data-overruled', 'the index has data that a later extent overrules', lambda image: (
        page(image), extent(image, (5, 1, ZERO, 0, 0))))


def records(add):
    def damaged(name, what, fill=policy, **options):
        add.damaged('record-' + name, 'record', what, fill, **options)
    damaged('namespace-0', 'namespace 0', lambda image: image.record(0, 3, 1, b'x'))
    damaged('namespace-8', 'namespace 8', lambda image: image.record(8, 3, 1, b'x'))
    damaged('class-0', 'class 0', lambda image: image.record(1, 0, 1, b'x'))
    damaged('class-4', 'class 4', lambda image: image.record(1, 4, 1, b'x'))
    damaged('flags', 'a reserved flag', edit={RECORD: put(8, 'H', 2)})
    damaged('reserved', 'a reserved field that is not zero', edit={RECORD: put(10, 'H', 1)})
    damaged('length', 'a length of 2^63', edit={RECORD: put(16, 'Q', 1 << 63)})
    damaged('length-limit', 'a payload longer than the limit', edit={RECORD: put(16, 'Q', (1 << 27) + 1)})
    damaged('length-short', 'a payload shorter than it says', edit={RECORD: lambda body: body[:-1]})
    damaged('length-long', 'a payload longer than it says', edit={RECORD: lambda body: body + b'y'})
    damaged('digest', 'a payload with another digest', edit={RECORD: lambda body: body[:-1] + b'Y'})
    damaged('inherited-in-base', 'a base that inherits a record', lambda image: policy(image, inherited=True))
    damaged('static-differs', 'two static records of one type that differ', lambda image: (policy(image), policy(image, b'other!')))


def layouts(add):
    item = lambda kind, flag, namespace, value: pack('<BBHI', kind, flag, namespace, value)
    run = lambda batch, pfn, count: item(4, 0, 1, 1) + pack('<IIQQ', batch, 0, pfn, count)
    record, pages = item(2, 0, 1, 0), run(1024, 5, 1)

    def filled(items, kind, cut=None, more=None):
        def fill(image):
            image.layout = kind
            image.record(1, 1, 2, b'12345678')
            image.record(3, 2, 1, b'domain')
            page(image)
            if more:
                more(image)
            for part in (items[:cut], items[cut:]) if cut else (items,):
                if part is not None:
                    image.segment(LAYOUT, part)
        return fill

    def sound(name, what, items, kind=1, cut=None, more=None):
        add.sound('layout-' + name, what, filled(items, kind, cut, more))

    def damaged(name, what, items, kind=1, cut=None, structure='layout', more=None):
        add.damaged('layout-' + name, structure, what, filled(items, kind, cut, more))
    sound('exact', 'a layout that names each page once', record * 2 + pages)
    sound('two-segments', 'a layout in two segments', record * 2 + pages, cut=16)
    sound('canonical', 'a layout of a source with a page twice', record * 2 + pages * 2, kind=2)
    sound('bytes', 'padding that was not zero', record + item(3, 0, 1, 3) + b'abc' + bytes(5) + record + pages)
    sound('bytes-namespaces', 'bytes of each format', record * 2 + pages + b''.join(
        item(3, 0, namespace, 1) + b'x' + bytes(7) for namespace in (1, 2, 3, 5, 6)))
    sound('frames', 'records without a body', record * 2 + item(1, 0, 1, 0x10) + pages + item(1, 0, 1, 0) + item(1, 0, 2, 0))
    sound('unpopulated-twice', 'pages that are not there may come again and again', record * 2 + pages + run(1024, 6, 9) * 2)
    sound('many-unpopulated', '2^24 pages that are not there', record * 2 + pages + run(1024, 512, 1 << 24))
    sound('states', 'pages of other states', record * 2 + run(1024, 5, 5), more=lambda image: image.states(
        (6, 1, ZERO, 0, 0), (7, 1, EVICTED, 0, 1), (8, 1, ALLOCATE, 0, 0), (9, 1, BROKEN, 0, 0)))
    sound('canonical-other-page', 'a canonical layout that names another page', record * 2 + run(1024, 6, 1), kind=2)
    damaged('canonical-without-pages', 'a canonical layout without a place for the pages', record * 2, kind=2)
    damaged('cut-inside-an-item', 'an item in two segments', record * 2 + pages, cut=20)
    damaged('empty-segment', 'a segment without an item', b'')
    damaged('claimed', 'the root claims a layout that is not there', None, structure='root')
    damaged('denied', 'the root denies the layout that is there', record * 2 + pages, kind=0, structure='root')
    damaged('kind-3', 'the root has an unknown kind of layout', record * 2 + pages, kind=3, structure='root')
    damaged('item-0', 'an unknown item', record * 2 + pages + item(0, 0, 1, 0))
    damaged('item-5', 'an unknown item', record * 2 + pages + item(5, 0, 1, 0))
    damaged('frame-flag', 'a frame with a flag', record * 2 + pages + item(1, 1, 1, 0))
    damaged('frame-namespace', 'a frame of the namespace xl', record * 2 + pages + item(1, 0, 3, 0))
    damaged('record-flag', 'a record item with an unknown flag', record + item(2, 2, 1, 0) + pages)
    damaged('record-namespace', 'a record item with a namespace', record + item(2, 0, 3, 0) + pages)
    damaged('record-value', 'a record item with a value', record + item(2, 0, 1, 1) + pages)
    damaged('record-missing', 'a record without an item', record + pages)
    damaged('record-extra', 'an item without a record', record * 3 + pages)
    damaged('bytes-namespace', 'bytes of the namespace stream header', record + item(3, 0, 4, 0) + record + pages)
    damaged('bytes-namespace-7', 'bytes of the namespace dump note', record + item(3, 0, 7, 0) + record + pages)
    damaged('bytes-length', 'more bytes than there are', record * 2 + pages + item(3, 0, 1, 2**32 - 1))
    damaged('bytes-padding', 'bytes with padding that is not zero', record * 2 + pages + item(3, 0, 1, 3) + b'abc     ')
    damaged('page-missing', 'a page that does not come', record * 2)
    damaged('page-twice', 'a page that comes twice', record * 2 + pages * 2)
    damaged('page-twice-in-a-run', 'a page that comes twice, in runs that overlap', record * 2 + run(1024, 0, 6) + run(1024, 5, 2))
    damaged('other-page', 'another page than there is', record * 2 + run(1024, 6, 1))
    damaged('pages-namespace', 'pages of the namespace libxl', record * 2 + item(4, 0, 2, 1) + pack('<IIQQ', 1024, 0, 5, 1))
    damaged('pages-flag', 'pages with a flag', record * 2 + item(4, 1, 1, 1) + pack('<IIQQ', 1024, 0, 5, 1))
    damaged('pages-without-runs', 'an item of no runs', record * 2 + pages + item(4, 0, 1, 0) + pack('<II', 1024, 0))
    damaged('batch-0', 'a batch of no pages', record * 2 + run(0, 5, 1))
    damaged('batch-limit', 'a batch above the limit', record * 2 + run((1 << 14) + 1, 5, 1))
    damaged('run-0', 'a run of no pages', record * 2 + pages + run(1024, 5, 0))
    damaged('run-past-end', 'a run that ends behind the last page', record * 2 + pages + run(1024, (1 << 52) - 1, 2))
    damaged('run-count', 'more runs than there are bytes', record * 2 + item(4, 0, 1, 2**32 - 1) + pack('<IIQQ', 1024, 0, 5, 1))
    damaged('sum', 'runs whose sum is 2^64', record * 2 + item(4, 0, 1, 4097) + pack('<II', 1024, 0)
            + pack('<QQ', 0, 1 << 52) * 4096 + pack('<QQ', 5, 1))
    damaged('without-end', 'a gap that would be spelled out for years', record * 2 + pages + run(1024, 1 << 20, 1 << 51))


def provenances(add):
    def damaged(name, what, edit):
        add.damaged('provenance-' + name, 'provenance', what, page, edit={PROVENANCE: edit})
    damaged('key-empty', 'a field without a key', lambda body: body + pack('<II', 0, 0))
    damaged('key-long', 'a key of 1025 bytes', lambda body: body + pack('<II', 1025, 0) + b'k' * 1025)
    damaged('length', 'a value longer than the segment', put(4, 'I', 2**32 - 1))
    damaged('cut', 'half a field', lambda body: body + b'\1\0\0\0')
    damaged('key-utf8', 'a key that is not UTF-8', put(8, 'B', 0xFF))
    damaged('value-utf8', 'a value that is not UTF-8', put(14, 'B', 0xFF))
    damaged('value-surrogate', 'a value with half a UTF-16 pair', put(14, '3B', 0xED, 0xA0, 0x80))


def indexes(add):
    # The block: 80 bytes, 8 of states, 64 + 8 of evictions, two runs of 16, digests.
    def fill(image):
        page(image, 1, 1)
        image.region(ZSTD, {2: (0, full[2]), 3: (0, full[3])})
        image.states((4, 1, ZERO, 0, 0), (5, 2, EVICTED, 0, 1))

    def damaged(name, what, edit, **options):
        add.damaged('index-' + name, options.pop('structure', 'index block'), what, options.pop('fill', fill),
                    edit={INDEX: edit}, **options)
    damaged('block', 'a block that does not exist', put(0, 'Q', 1 << 43))
    damaged('entries', 'fewer entries than bits', put(8, 'H', 5))
    damaged('entries-0', 'a block without entries', lambda body: pack('<Q4H64x', 0, 0, 0, 0, 0))
    damaged('data-pages', 'more data pages than states', put(10, 'H', 4))
    damaged('runs', 'more runs than there are', put(12, 'H', 3))
    damaged('evicted', 'fewer evicted pages than states', put(14, 'H', 1))
    damaged('evicted-none', 'evicted pages without their bitmap', lambda body: put(14, 'H', 0)(body[:88] + body[160:]))
    damaged('bitmap', 'an eviction bitmap with another page', put(88, 'Q', 1 << 4 | 1 << 6))
    damaged('reason-0', 'an evicted page without a reason', put(152, 'B', 0))
    damaged('reason-7', 'an evicted page with an unknown reason', put(152, 'B', 7))
    damaged('states-padding', 'padding of the states that is not zero', put(87, 'B', 1))
    damaged('reasons-padding', 'padding of the reasons that is not zero', put(159, 'B', 1))
    damaged('unchanged', 'an entry that says unchanged', put(83, 'B', UNCHANGED))
    damaged('unpopulated-in-base', 'an entry that says unpopulated, in a base', put(83, 'B', UNPOPULATED))
    damaged('state-8', 'an unknown state', put(83, 'B', 8))
    damaged('type', 'a page type that does not exist', put(83, 'B', ZERO | 5 << 4))
    damaged('type-of-broken', 'a state without a type, with one', put(83, 'B', BROKEN | 1 << 4))
    damaged('region-offset', 'an offset that is no region\'s', put(160, 'Q', 8))
    damaged('region-offset-huge', 'an offset near 2^64', put(160, 'Q', 2**64 - 16))
    damaged('region-length', 'another length than the region has', put(168, 'I', 8))
    damaged('first-slot', 'a slot that the region lacks', put(172, 'B', 9))
    damaged('location-kind', 'a location of another kind', put(173, 'B', 1))
    damaged('run-pages-0', 'a run of no pages', put(174, 'H', 0))
    damaged('run-pages', 'a run of more pages than there are', put(190, 'H', 3))
    damaged('run-split', 'a run that continues the one before it', lambda body: put(12, 'H', 3)(
        put(190, 'H', 1)(body[:192]) + pack('<QIBBH', *struct.unpack_from('<QI', body, 176), 1, 0, 1) + body[192:]))
    damaged('swapped-slots', 'two pages with each other\'s slots', lambda body: put(12, 'H', 3)(
        body[:176] + pack('<QIBBH', *struct.unpack_from('<QI', body, 176), 1, 0, 1)
        + pack('<QIBBH', *struct.unpack_from('<QI', body, 176), 0, 0, 1)
        + body[192:224] + body[256:288] + body[224:256]), structure='region')
    damaged('digest', 'another digest than the page has', flip(192), structure='region')
    damaged('length', 'eight bytes too many', lambda body: body + bytes(8))
    damaged('length-short', 'a digest is missing', lambda body: body[:-32])
    two_blocks = lambda image: image.states((0, 1, ZERO, 0, 0), (512, 1, ZERO, 0, 0))
    add.damaged('index-descends', 'index block', 'blocks in descending order', two_blocks,
                edit={INDEX: [put(0, 'Q', 1), put(0, 'Q', 0)]})
    add.damaged('index-twice', 'index block', 'a block that comes twice', two_blocks, edit={INDEX: [None, put(0, 'Q', 0)]})


def roots(add):
    # 184 bytes, then the directory (header, record, states, provenance), then the block table.
    directory, blocks = 184, 184 + 64 * 4

    def damaged(name, what, edit, structure='root', **options):
        add.damaged('root-' + name, structure, what, usual, edit={ROOT: edit}, **options)

    def identified(name, edit):
        """The checkpoint ID fits what the root says."""
        capture = hashlib.sha256(('root-' + name).encode()).digest()[:16]
        return lambda body: (lambda root: root[:64] + sha(b'VMckpt checkpoint\0', capture, root[:64]) + root[96:])(edit(body))
    damaged('memory-digest', 'another memory digest than the pages have', identified('memory-digest', flip(0)))
    damaged('state-digest', 'another state digest than the records have', identified('state-digest', flip(32)))
    damaged('checkpoint-id', 'a checkpoint ID that does not follow from the digests', flip(64))
    damaged('counts', 'more pages than there are', put(96 + 8 * ZERO, 'Q', 2))
    damaged('counts-huge', 'counts whose sum overflows', put(96, 'QQ', 2**64 - 1, 2**64 - 1))
    damaged('dead-copies', 'dead copies that are not there', put(160, 'Q', 1))
    damaged('directory-entries', 'more entries than the root holds', put(172, 'I', 2**32 - 1))
    damaged('directory-short', 'an entry is missing', lambda body: put(172, 'I', 3)(body[:-88 - 64] + body[-88:]))
    for at, form, field in ((0, 'H', 'kind'), (2, 'H', 'flags'), (4, 'I', 'reserved'), (8, 'Q', 'ordinal'),
                            (16, 'Q', 'offset'), (24, 'Q', 'length'), (32, 'Q', 'digest')):
        damaged('directory-' + field, f'an entry with another {field} than the segment has', put(directory + 64 + at, form, 9))
    damaged('directory-offset-huge', 'an entry with an offset near 2^64', put(directory + 64 + 16, 'Q', 2**64 - 16))
    for name, entry in (('header', 0), ('record', 1), ('provenance', 3)):
        damaged(f'directory-length-of-{name}-past-end', f'the entry of the {name} ends behind the file',
                put(directory + 64 * entry + 24, 'Q', 1 << 20))
    damaged('block-length-past-end', 'a block that ends behind the file', put(blocks + 16, 'I', 1 << 20))
    damaged('directory-first', 'the first entry is not the header\'s', lambda body: (
        body[:184] + body[248:312] + body[184:248] + body[312:]))
    damaged('blocks', 'more blocks than the root holds', put(176, 'Q', 1 << 63))
    damaged('blocks-none', 'the index block is not in the table', lambda body: put(176, 'Q', 0)(body[:-88]))
    for at, form, field in ((0, 'Q', 'number'), (8, 'Q', 'offset'), (16, 'I', 'length'), (56, 'Q', 'digest')):
        damaged('block-' + field, f'a block with another {field} than the index block has', put(blocks + at, form, 9))
    damaged('block-number-huge', 'a block that does not exist', put(blocks, 'Q', 2**64 - 1))
    damaged('block-offset-huge', 'a block with an offset near 2^64', put(blocks + 8, 'Q', 2**64 - 16))
    damaged('block-flags', 'a reserved flag of a block', put(blocks + 20, 'I', 2))
    damaged('block-empty-flag', 'a block with pages that is said to have none', put(blocks + 20, 'I', 1))
    damaged('block-empty-node', 'a block without a node that is said to have pages', put(blocks + 24, '32s', bytes(32)))
    damaged('block-empty', 'a block with pages that is said to have none, without a node',
            lambda body: put(blocks + 20, 'I32s', 1, bytes(32))(body))
    damaged('node', 'another node than the pages have', flip(blocks + 24))
    damaged('length', 'bytes behind the block table', lambda body: body + bytes(8))
    damaged('length-short', 'not even the fixed fields', lambda body: body[:100])


def trailers(add):
    def damaged(name, what, edit, structure='trailer'):
        add.damaged('trailer-' + name, structure, what, usual, edit={TRAILER: edit})
    damaged('root-offset', 'another offset than the root has', put(0, 'Q', 8))
    damaged('root-offset-huge', 'an offset near 2^64', put(0, 'Q', 2**64 - 16))
    damaged('root-length', 'another length than the root has', put(8, 'Q', 8))
    damaged('segments', 'more segments than there are', put(16, 'Q', 99))
    damaged('file-length', 'another length than the file has', put(24, 'Q', 99))
    damaged('checkpoint-id', 'another checkpoint ID than the root\'s', flip(32), structure='root')
    damaged('file-id', 'a file ID that is not the root\'s', flip(64))
    damaged('length', 'eight bytes too many', lambda body: body + bytes(8))
    damaged('length-short', 'eight bytes too few', lambda body: body[:-8])


def chains(add):
    parent = add.sound('parent', 'the parent of the vectors named increment-*', lambda image: (
        policy(image), image.region(ZSTD, {5: (0, full[1]), 6: (0, full[2])}), image.states((8, 1, EVICTED, 0, 1))))

    def sound(name, what, fill, parent=parent, parent_name='parent.ckpt', **options):
        return add.sound('increment-' + name, what, lambda image: (policy(image), fill(image)), parent=parent,
                         parent_name=parent_name, **options)

    def damaged(name, structure, what, fill=policy, parent=parent, parent_name='parent.ckpt', **options):
        return add.damaged('increment-' + name, structure, what, fill, parent=parent, parent_name=parent_name, **options)
    nothing = lambda image: None
    sound('says-nothing', 'an increment without any entry', nothing)
    add.sound('increment-inherits', 'an increment that inherits the static record', lambda image: (
        policy(image, inherited=True), page(image, 7)), parent=parent, parent_name='parent.ckpt')
    sound('repeats-parent', 'an entry that repeats what the parent says', page)
    sound('changes', 'a page changes, one appears', lambda image: image.region(ZSTD, {5: (0, full[3]), 9: (0, full[4])}))
    sound('type-changes', 'the same contents with another type', lambda image: page(image, kind=9))
    sound('parent-name-odd', 'a parent\'s name with a line feed and a letter beyond ASCII', nothing, parent_name='a\n\u00e4')
    sound('page-vanishes', 'a page becomes unpopulated', lambda image: image.states((5, 1, UNPOPULATED, 0, 0)))
    sound('block-vanishes', 'every page of a block becomes unpopulated', lambda image: image.states(
        (5, 2, UNPOPULATED, 0, 0), (8, 1, UNPOPULATED, 0, 0)))
    sound('page-that-never-was', 'an entry for a page that is not there either way',
          lambda image: image.states((9, 1, UNPOPULATED, 0, 0)))
    sound('states-unchanged', 'an extent that says unchanged', lambda image: extent(image, (7, 1, UNCHANGED, 0, 0)))
    sound('unchanged-overrules', 'unchanged overrules a copy before it', lambda image: (
        page(image, byte=9), image.entries.clear(), extent(image, (5, 1, UNCHANGED, 0, 0))))
    sound('evicts', 'a page is evicted', lambda image: image.states((5, 1, EVICTED, 0, 3)))
    sound('no-longer-evicted', 'a page that was evicted is stored', lambda image: page(image, 8, 8))
    sound('parent-without-name', 'a parent that is known by its checkpoint ID alone', nothing, parent_name='')
    sound('parent-renamed', 'a parent that has another name now', nothing, parent_name='elsewhere.ckpt')
    sound('parent-name-of-another', 'the parent\'s name is that of another image now', nothing, parent_name='one-page.ckpt')
    middle = sound('middle', 'the parent of increment-of-increment', lambda image: (
        image.region(ZSTD, {5: (0, full[3]), 1024: (0, full[4])}), image.record(1, 2, 3, b'frames')))
    add.sound('increment-of-increment', 'a chain of three; a record comes from the one in the middle', lambda image: (
        policy(image, inherited=True), image.record(1, 2, 3, b'frames', True), image.states((6, 1, ZERO, 0, 0))),
        parent=middle, parent_name='increment-middle.ckpt')

    damaged('static-differs', 'record', 'another static record than the parent has', lambda image: policy(image, b'other!'))
    add.damaged('increment-static-of-grandparent', 'record', 'another static record than the grandparent has',
                lambda image: policy(image, b'other!'), parent=add.sound(
                    'increment-without-static', 'the parent of increment-static-of-grandparent', lambda image: None,
                    parent=parent, parent_name='parent.ckpt'), parent_name='increment-without-static.ckpt')
    damaged('inherits-nothing', 'record', 'a record that no ancestor has', lambda image: image.record(1, 3, 7, b'zz', True))
    damaged('inherits-other-class', 'record', 'a record that the parent has with another class',
            lambda image: image.record(1, 2, 0x11, b'policy', True))
    damaged('inherits-payload', 'record', 'an inherited record with a payload', lambda image: policy(image, inherited=True),
            edit={RECORD: lambda body: body + b'policy'})
    damaged('type-of-unpopulated', 'states', 'an unpopulated page with a type',
            lambda image: (policy(image), extent(image, (9, 1, UNPOPULATED, 9, 0))))
    add.unsupported('increment-architecture', 'header', 'another architecture than the parent has', policy, parent=parent,
                    parent_name='parent.ckpt', edit={HEADER: put(6, 'H', 0)})
    damaged('memory-digest', 'root', 'nodes that leave out the parent\'s pages', lambda image: (
        policy(image), image.moment.clear(), page(image)))
    for name, text in (('folder', '../parent.ckpt'), ('zero', 'a\0b'), ('dots', '..'), ('dot', '.'), ('slash', 'x/y')):
        damaged(f'parent-name-{name}', 'header', f'{text!r} as the parent\'s name', parent_name=text)
    damaged('parent-name-long', 'header', 'a parent\'s name of 1025 bytes', parent_name='x' * 1025)
    damaged('parent-name-utf8', 'header', 'a parent\'s name that is not UTF-8', edit={HEADER: put(96, 'B', 0xFF)})
    damaged('parent-cut', 'trailer', 'the parent is sound, the increment has no trailer', raw=lambda data: data[:-128])

    lost = Image('lost')
    page(lost)
    lost.finish()
    add.orphan('orphan', 'an increment whose parent is gone', nothing, parent=lost, parent_name='lost.ckpt')
    add.orphan('orphan-named', 'an increment whose parent\'s name is that of another image now', nothing, parent=lost,
               parent_name='one-page.ckpt')
    add.damaged('orphan-damaged', 'states', 'an increment whose parent is gone, with a flipped bit', usual, parent=lost,
                parent_name='lost.ckpt', raw=lambda data: flip(offset_of(data, STATES) + 40)(data))

    def of_bad(name, what, structure, fill, verdict='damaged', **options):
        bad = getattr(add, verdict)(f'{name}-parent', structure, f'the parent of {name}-child', fill, **options)
        getattr(add, verdict)(f'{name}-child', structure, what, policy, parent=bad, parent_name=f'{name}-parent.ckpt')
    of_bad('digest', 'an increment whose parent has a wrong page', 'region', page, edit={INDEX: flip(104)})
    of_bad('flipped', 'an increment whose parent has a flipped bit', 'states', usual,
           raw=lambda data: flip(offset_of(data, STATES) + 40)(data))
    of_bad('foreign', 'an increment whose parent needs a later reader', 'header', page, 'unsupported',
           edit={HEADER: put(6, 'H', 2)})

    of_bad('unfinished', 'an increment whose parent has no trailer', 'trailer', page, raw=lambda data: data[:-128])
    of_bad('tail', 'an increment whose parent has a byte behind it', 'trailer', page, raw=lambda data: data + b'x')
    of_bad('no-id', 'an increment whose parent\'s ID has a flipped bit', 'trailer', page, raw=lambda data: flip(-60)(data))

    def incomplete(image):
        image.layout = 1
        policy(image)
        page(image)
        image.segment(LAYOUT, pack('<BBHI', 2, 0, 1, 0))
    bad = add.damaged('layout-parent', 'layout', 'a layout that leaves out a page; the parent of layout-child', incomplete)
    add.sound('layout-child', 'an increment whose parent has a bad layout, which it does not need', policy, parent=bad,
              parent_name='layout-parent.ckpt')
    add.sound('parent-name-is-a-letter', 'the parent\'s name is that of a text now', policy, parent=parent,
              parent_name='file-text.ckpt')
    add.damaged('orphan-of-letter', 'frame', 'an increment whose parent is gone, and its name is that of a text now', policy,
                parent=lost, parent_name='file-text.ckpt')

    # Identities do not cover the parent's name: a base can be replaced by an increment of the same moment.
    first = Image('cycle-a')
    page(first, byte=1)
    first.finish()
    second = add.damaged('cycle-b', 'chain', 'two increments, each the other\'s parent', lambda image: page(image, byte=2),
                         parent=first, parent_name='cycle-a.ckpt')
    again = add.damaged('cycle-a', 'chain', 'two increments, each the other\'s parent', lambda image: page(image, byte=1),
                        parent=second, parent_name='cycle-b.ckpt')
    assert again.id == first.id


def large(add):
    """Too large to keep."""
    add.sound('alignment-16', 'segments start at multiples of 2^16', usual, alignment=1 << 16)
    add.damaged('record-count', 'record', 'more records than an image may have',
                lambda image: [image.record(1, 3, 7, b'') for _ in range(65537)])
    part = pack('<BBHI', 3, 0, 1, 12 << 20) + bytes(12 << 20)
    pages = pack('<BBHIIIQQ', 4, 0, 1, 1, 1024, 0, 5, 1)

    def two_parts(image):
        image.layout = 1
        page(image)
        image.segment(LAYOUT, pages + part)
        image.segment(LAYOUT, part)
    add.sound('layout-large', 'two segments of layout, together more than one may hold', two_parts)
    add.damaged('layout-too-large', 'frame', 'a segment of layout above its limit', lambda image: (
        page(image), image.segment(LAYOUT, part + part)))
    add.damaged('states-too-large', 'frame', 'a segment of states above its limit', lambda image: (
        page(image), extent(image, *((9, 1, ZERO, 0, 0) for _ in range(700000)))))
    add.damaged('provenance-value-long', 'provenance', 'a value above its limit', page, edit={
        PROVENANCE: lambda body: body + pack('<II', 1, (1 << 20) + 1) + b'k' + b'v' * ((1 << 20) + 1)})
    add.sound('provenance-value-longest', 'a value as long as it may be', page, edit={
        PROVENANCE: lambda body: body + pack('<II', 1, 1 << 20) + b'k' + b'v' * (1 << 20)})


def main(arguments):
    folder = arguments[-1]
    groups = (odd_but_legal, frames, file_as_a_whole, headers, regions, states, disagreements, records, layouts, provenances,
              indexes, roots, trailers, chains)
    add = Vectors(folder)
    for group in (large,) if arguments[:-1] == ['--large'] else groups:
        group(add)


if __name__ == '__main__':
    main(sys.argv[1:]) if len(sys.argv) in (2, 3) else sys.exit(__doc__)
