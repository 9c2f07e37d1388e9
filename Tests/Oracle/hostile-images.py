#!/usr/bin/env python3
"""hostile-images.py FOLDER: images that a careful writer would never make, by the writer that was made
from the specification alone. All checksums, digests and identities are right, unless they are the defect.

good-* break no rule, odd as they are; bad-* break one each. parent.ckpt is the parent of increments.
"""
import os
import struct
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from write_image import (ALLOCATE, DATA, EVICTED, HEADER, INDEX, LAYOUT, PROVENANCE, RECORD, REGION, STATES,
                         UNCHANGED, UNPOPULATED, ZERO, Image)

pack = struct.pack
FOLDER = sys.argv[1]
full = [bytes([n]) * 4096 for n in range(256)]


def one(name, fill, parent=None, parent_name="parent.ckpt", make=Image):
    image = make(parent, parent_name if parent else "")
    fill(image)
    return image.finish(os.path.join(FOLDER, name + ".ckpt"))


def page(image, pfn=5, byte=1):
    image.region(0, {pfn: (0, full[byte])})


def edited(kind, edit):
    """An image whose segments of a kind are changed before they are written."""
    class Edited(Image):
        def segment(self, found, body, flags=None):
            return super().segment(found, edit(body) if found == kind else body, flags)
    return Edited


def put(body, at, form, *values):
    return body[:at] + pack(form, *values) + body[at + struct.calcsize(form):]


def region(image, names, payload, codec=0, pages=None):
    """A region of any bytes whose pages go into the index as they are named."""
    runs = b"".join(pack("<Q", pfn) for pfn, _ in names)
    at = image.segment(REGION, pack("<BBHHHII", codec, 0, pages or len(names), len(names), 0, 0, 0) + runs + payload)
    image.regions[at] = len(image.out) - at
    image.stored += len(names)
    for slot, (pfn, contents) in enumerate(names):
        image.entries[pfn] = (DATA, 0, 0, contents, at, slot)


def headers():
    def header(name, edit, fill=page, parent=None):
        one(name, fill, parent, make=edited(HEADER, edit))
    two = lambda image: image.region(0, {5: (0, full[1]), 4: (0, full[1])})
    twice = lambda image: (page(image), image.states((5, 1, ZERO, 0, 0)))
    header("bad-ascending-claimed-descending", lambda b: put(b, 10, "<H", 2), two)
    header("bad-ascending-claimed-twice", lambda b: put(b, 10, "<H", 2), twice)
    header("good-ascending-interleaved", lambda b: put(b, 10, "<H", 2),
           lambda image: (page(image), image.states((1, 1, ZERO, 0, 0))))
    later = pack("<BBH", 1, 3, 5) + b"later"
    header("good-compatible-feature", lambda b: put(put(b, 12, "<I", 2), 24, "<Q", 8) + later)
    header("bad-incompatible-feature", lambda b: put(put(b, 12, "<I", 2), 16, "<Q", 3) + pack("<BBH", 0, 1, 4) + b"page")
    header("bad-feature-order", lambda b: put(put(b, 12, "<I", 2), 24, "<Q", 8)[:96] + later + b[96:])
    header("bad-feature-named-twice", lambda b: put(b, 12, "<I", 2) + b[96:])
    header("bad-feature-unnamed", lambda b: put(b, 12, "<I", 0)[:96])
    header("bad-feature-bit-64", lambda b: put(b, 96, "<BB", 0, 64))
    header("bad-not-a-draft", lambda b: put(put(b, 12, "<I", 0), 16, "<Q", 0)[:96])
    header("bad-architecture", lambda b: put(b, 6, "<H", 2))
    header("bad-address-space", lambda b: put(b, 8, "<H", 2))
    header("bad-version", lambda b: put(b, 2, "<H", 10))
    header("bad-page-shift", lambda b: put(b, 4, "<B", 13))
    header("bad-alignment", lambda b: put(b, 5, "<B", 63))
    header("bad-header-length", lambda b: b + b"\0")
    header("bad-parent-of-base", lambda b: put(b, 56, "<Q", 1))
    header("bad-parent-name-length", lambda b: put(b, 88, "<I", 2**32 - 1))
    header("bad-feature-count", lambda b: put(b, 12, "<I", 2**32 - 1))


def segments():
    one("good-empty", lambda image: None)
    one("good-unknown-kind", lambda image: (image.segment(200, b"hello", 0), page(image)))
    one("good-unknown-copy-safe", lambda image: (image.segment(200, b"hello", 2), page(image)))
    one("bad-unknown-critical", lambda image: (image.segment(200, b"hello", 1), page(image)))
    one("bad-empty-states", lambda image: (image.segment(STATES, b""), page(image)))
    one("bad-two-headers", lambda image: (image.segment(HEADER, image.out[32:137]), page(image)))
    one("bad-early-index", lambda image: (image.segment(INDEX, bytes(80)), page(image)))

    class Unordered(Image):
        """Provenance behind the index, or none."""
        kinds = (PROVENANCE,)

        def segment(self, kind, body, flags=None):
            if kind in self.kinds:
                return 0
            at = super().segment(kind, body, flags)
            if kind == INDEX and self.kinds:
                self.kinds, kept = (), self.kinds
                super().segment(PROVENANCE, b"")
                self.kinds = kept
            return at
    one("bad-provenance-behind-index", page, make=Unordered)
    one("bad-no-provenance", lambda image: None, make=Unordered)
    one("bad-provenance-empty-key", page, make=edited(PROVENANCE, lambda b: b + pack("<II", 0, 0)))
    one("bad-provenance-length", page, make=edited(PROVENANCE, lambda b: put(b, 4, "<I", 2**32 - 1)))


def pages():
    one("good-runs-split", lambda image: region(image, [(5, full[1]), (6, full[2])], full[1] + full[2]))
    one("good-extents-split", lambda image: image.states((5, 1, ZERO, 0, 0), (6, 1, ZERO, 0, 0)))
    one("good-page-twice-in-region",
        lambda image: (region(image, [(5, full[1]), (5, full[2])], full[1] + full[2])))
    one("good-dead-zeros", lambda image: (
        image.region(0, {5: (0, bytes(4096)), 6: (0, full[1])}), image.states((5, 1, ZERO, 0, 0))))
    one("good-everything-unpopulated", lambda image: image.segment(
        STATES, pack("<QQBBB5x", 0, 1 << 52, UNPOPULATED, 0, 0)))
    one("good-highest-pfn", lambda image: page(image, (1 << 52) - 1))
    one("bad-zeros-as-data", lambda image: image.region(0, {5: (0, bytes(4096))}))
    one("bad-extent-past-the-end", lambda image: image.segment(
        STATES, pack("<QQBBB5x", 1, 1 << 52, ZERO, 0, 0)))
    one("bad-extent-count-2-to-63", lambda image: image.segment(
        STATES, pack("<QQBBB5x", 1, 1 << 63, ZERO, 0, 0)))
    one("bad-type-of-unpopulated", lambda image: image.segment(
        STATES, pack("<QQBBB5x", 1, 1, ALLOCATE, 9, 0)))
    one("bad-index-not-stated", lambda image: image.entries.update({5: (ZERO, 0, 0, None, None, None)}))
    one("bad-stated-not-in-index", lambda image: (image.states((5, 1, ZERO, 0, 0)), image.entries.clear()))
    one("bad-all-stated-none-in-index", lambda image: image.segment(
        STATES, pack("<QQBBB5x", 0, 1 << 52, ZERO, 0, 0)))

    def first_copy(byte):
        def fill(image):
            page(image)
            first = dict(image.entries)
            page(image, byte=byte)
            image.entries.update(first)
        return fill
    one("bad-index-has-first-copy", first_copy(2))
    one("bad-index-has-first-of-equals", first_copy(1))

    two = [(5, full[1]), (6, full[1])]
    packed = zlib.compress(full[1] * 2)
    one("good-zlib", lambda image: region(image, two, packed, codec=1))
    one("bad-zlib-tail", lambda image: region(image, two, packed + b"\0", codec=1))
    one("bad-zlib-short", lambda image: region(image, two, zlib.compress(full[1]), codec=1))
    one("bad-zlib-bomb", lambda image: region(image, two, zlib.compress(bytes(1 << 22)), codec=1))
    one("bad-zlib-cut", lambda image: region(image, two, packed[:-5], codec=1))
    # A zstd frame whose header claims 2^62 bytes, or a window of 2^41.
    magic = pack("<I", 0xFD2FB528)
    one("bad-zstd-claims-much", lambda image: region(image, two, magic + b"\xe0" + pack("<Q", 1 << 62) + bytes(8), codec=2))
    one("bad-zstd-window", lambda image: region(image, two, magic + b"\x00\xff" + bytes(8), codec=2))
    one("bad-zstd-repeats", lambda image: region(image, two, magic + b"\x20\x00" + pack("<I", 1 | 1 << 1 | (1 << 20) << 3)[:3] + b"\1", codec=2))
    one("bad-codec", lambda image: region(image, two, packed, codec=9))
    one("bad-page-count-of-region", lambda image: region(image, two, full[1] * 2, pages=300))
    one("bad-runs-past-page-count", lambda image: region(image, two, full[1] * 2, pages=1))
    one("bad-stored-size", lambda image: region(image, two, full[1]))


def records(parent):
    policy = lambda image, text=b"policy": image.record(1, 1, 0x11, text)
    one("good-record-type-unknown", lambda image: image.record(1, 3, 0x7777, b"x"))
    one("good-record-empty", lambda image: image.record(1, 3, 7, b""))
    one("bad-record-count", lambda image: [image.record(1, 3, 7, b"") for _ in range(65537)])
    one("bad-record-namespace", lambda image: image.record(9, 3, 1, b"x"))
    one("bad-record-class", lambda image: image.record(1, 4, 1, b"x"))
    one("bad-record-length", policy, make=edited(RECORD, lambda b: put(b, 16, "<Q", 1 << 63)))
    one("bad-record-digest", policy, make=edited(RECORD, lambda b: b[:-1] + b"Y"))
    one("bad-inherited-in-base", lambda image: image.record(1, 1, 0x11, b"policy", inherited=True))
    one("bad-static-twice", lambda image: (policy(image), policy(image, b"other!")))
    one("bad-static-differs", lambda image: policy(image, b"other!"), parent)
    one("good-static-sent-again", policy, parent)
    one("bad-inherited-from-nowhere", lambda image: image.record(1, 3, 7, b"zz", inherited=True), parent)
    one("bad-inherited-other-class", lambda image: image.record(1, 2, 0x11, b"policy", inherited=True), parent)
    one("good-entry-repeats-parent", lambda image: (policy(image), page(image)), parent)
    one("good-page-vanishes-that-never-was", lambda image: (policy(image), image.states((9, 1, UNPOPULATED, 0, 0))), parent)
    one("good-unchanged-stated", lambda image: (
        policy(image), image.segment(STATES, pack("<QQBBB5x", 7, 1, UNCHANGED, 0, 0))), parent)
    one("good-evicted", lambda image: (policy(image), image.states((5, 1, EVICTED, 0, 3))), parent)
    one("good-parent-without-name", policy, parent, "")
    for number, name in enumerate(("../parent.ckpt", "a\0b", "..", "x/y")):
        one(f"bad-parent-name-{number}", policy, parent, name)


def roots():
    def root(name, edit):
        make = type("Edited", (Image,), {"edited_root": lambda self, body: edit(body)})
        one(name, lambda image: (page(image), image.record(1, 3, 7, b"x")), make=make)
    entries = lambda body: struct.unpack_from("<I", body, 172)[0]
    # Offsets so near 2^64 that adding the length of a frame would overflow: the last entry's, the block's.
    for name, back in (("last", 1), ("record", 2)):
        root(f"bad-root-offset-of-{name}-entry", lambda body, back=back: put(
            body, 184 + 64 * (entries(body) - back) + 16, "<Q", 2**64 - 16))
    root("bad-root-offset-of-block", lambda body: put(body, 184 + 64 * entries(body) + 8, "<Q", 2**64 - 16))
    root("bad-root-block-number", lambda body: put(body, 184 + 64 * entries(body), "<Q", 2**64 - 1))
    root("bad-root-directory-count", lambda body: put(body, 172, "<I", 2**32 - 1))
    root("bad-root-block-count", lambda body: put(body, 176, "<Q", 1 << 63))
    root("bad-root-counts", lambda body: put(body, 104, "<Q", 2**64 - 1))


def cycle():
    """Two increments, each the other's parent: identities do not cover the parent's name, so that a base
    can be replaced by an increment that stands for the same moment."""
    first = Image()
    page(first, byte=1)
    first.finish(os.path.join(FOLDER, "bad-cycle-a.ckpt"))
    second = one("bad-cycle-b", lambda image: page(image, byte=2), first, "bad-cycle-a.ckpt")
    again = Image(second, "bad-cycle-b.ckpt", first.capture)
    page(again, byte=1)
    assert again.finish(os.path.join(FOLDER, "bad-cycle-a.ckpt")).id == first.id


def layouts():
    item = lambda kind, flag, namespace, value: pack("<BBHI", kind, flag, namespace, value)
    run = lambda batch, pfn, count: item(4, 0, 1, 1) + pack("<IIQQ", batch, 0, pfn, count)
    record, pages = item(2, 0, 1, 0), run(1024, 5, 1)

    def layout(name, items, kind=1, cut=None):
        def fill(image):
            image.layout = kind
            image.record(1, 1, 2, b"12345678")
            image.record(3, 2, 1, b"domain")
            page(image)
            for part in (items[:cut], items[cut:]) if cut else (items,):
                if part is not None:
                    image.segment(LAYOUT, part)
        one(name, fill)
    layout("good-layout", record * 2 + pages)
    layout("good-layout-in-two-segments", record * 2 + pages, cut=16)
    layout("good-layout-canonical", record * 2 + pages * 2, kind=2)
    layout("good-layout-bytes", record + item(3, 0, 1, 3) + b"abc" + bytes(5) + record + pages)
    # Two segments of 12 MiB each, more than one segment may hold.
    large = item(3, 0, 1, 12 << 20) + bytes(12 << 20)
    layout("good-layout-large", record * 2 + pages + large * 2, cut=len(record * 2 + pages + large))
    layout("bad-layout-cut-inside-an-item", record * 2 + pages, cut=20)
    layout("bad-layout-empty-segment", b"")
    layout("bad-layout-claimed", None)
    layout("bad-layout-denied", record * 2 + pages, kind=0)
    layout("bad-layout-record-namespace", record + item(2, 0, 3, 0) + pages)
    layout("bad-layout-frame-namespace", record * 2 + pages + item(1, 0, 3, 0))
    layout("bad-layout-bytes-namespace", record + item(3, 0, 4, 0) + record + pages)
    layout("bad-layout-bytes-length", record * 2 + pages + item(3, 0, 1, 2**32 - 1))
    layout("bad-layout-item", record * 2 + pages + item(5, 0, 1, 0))
    layout("bad-layout-record-missing", record + pages)
    layout("bad-layout-record-extra", record * 3 + pages)
    layout("bad-layout-page-missing", record * 2)
    layout("bad-layout-page-twice", record * 2 + pages * 2)
    layout("bad-layout-other-page", record * 2 + run(1024, 6, 1))
    layout("bad-layout-batch-0", record * 2 + run(0, 5, 1))
    layout("bad-layout-batch-huge", record * 2 + run(2**32 - 1, 5, 1))
    layout("bad-layout-run-0", record * 2 + run(1024, 5, 0))
    layout("bad-layout-run-past-the-end", record * 2 + pages + run(1024, (1 << 52) - 1, 2))
    layout("bad-layout-run-count", record * 2 + item(4, 0, 1, 2**32 - 1) + pack("<IIQQ", 1024, 0, 5, 1))
    # Sums of 2^64 and more.
    layout("bad-layout-sum", record * 2 + item(4, 0, 1, 4097) + pack("<II", 1024, 0)
           + pack("<QQ", 0, 1 << 52) * 4096 + pack("<QQ", 5, 1))
    # A gap that would be spelled out for years.
    layout("bad-layout-without-end", record * 2 + pages + run(1024, 1 << 20, 1 << 51))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    parent = one("parent", lambda image: (
        image.record(1, 1, 0x11, b"policy"), image.region(0, {5: (0, full[1]), 6: (0, full[2])})))
    headers()
    segments()
    pages()
    records(parent)
    roots()
    cycle()
    layouts()


main()
