#!/usr/bin/env python3
"""spoil-save.py SAVE DEFECT OUT: a real xl save file with one defect that a restore on Xen would fail on.

Without DEFECT and OUT, prints the names of the defects for that kind of guest.
"""
import struct
import sys


def libxc_start(data):
    """The first record of the libxc stream."""
    return data.index(b"\xff" * 8 + b"XENF") + 40


def records(data):
    offset = libxc_start(data)
    while True:
        kind, length = struct.unpack_from("<II", data, offset)
        yield kind, offset, length
        if kind == 0:
            return
        offset += 8 + (length + 7) // 8 * 8


def body(data, kind):
    """Where the body of the first record of a kind begins."""
    return next(offset + 8 for k, offset, _ in records(data) if k == kind)


def entry(data, pfn):
    """Where a page's entry lies in its PAGE_DATA record."""
    for kind, offset, _ in records(data):
        if kind != 1:
            continue
        count = struct.unpack_from("<I", data, offset + 8)[0]
        for place in range(offset + 16, offset + 16 + 8 * count, 8):
            if struct.unpack_from("<Q", data, place)[0] & (1 << 52) - 1 == pfn:
                return place
    raise SystemExit(f"PFN {pfn} is not in the file")


def u64(data, place):
    return struct.unpack_from("<Q", data, place)[0]


def set_type(data, pfn, kind):
    place = entry(data, pfn)
    struct.pack_into("<Q", data, place, kind << 60 | pfn)


def move_page(data, pfn, to):
    """The page is there under another number."""
    place = entry(data, pfn)
    struct.pack_into("<Q", data, place, u64(data, place) >> 60 << 60 | to)


def pv_defects(data):
    basic = body(data, 4) + 8
    p2m = body(data, 3)
    end = struct.unpack_from("<I", data, p2m + 4)[0]
    cr3 = u64(data, basic + 5008) >> 12
    start_info = u64(data, basic + 616)
    gdt = u64(data, basic + 4832)
    return {
        "cr3-is-no-page-table": lambda: set_type(data, cr3, 0),
        "cr3-of-a-lower-level": lambda: set_type(data, cr3, 3),
        "cr3-not-populated": lambda: move_page(data, cr3, 3),
        "start-info-is-a-page-table": lambda: set_type(data, start_info, 1),
        "start-info-nowhere": lambda: struct.pack_into("<Q", data, basic + 616, end + 7),
        "gdt-frame-is-a-page-table": lambda: set_type(data, gdt, 2),
        "gdt-too-long": lambda: struct.pack_into("<Q", data, basic + 4960, 9000),
        "p2m-frame-is-a-page-table": lambda: set_type(data, u64(data, p2m + 8), 1),
        "p2m-frame-not-populated": lambda: struct.pack_into("<Q", data, p2m + 16, end + 1),
        "page-behind-the-p2m": lambda: move_page(data, 5, end + 5),
        "page-before-the-p2m": lambda: swap(data, 3, 1),
    }


def swap(data, first, second):
    """Exchanges the first record of a kind with the first of another, which comes later."""
    spans = [next((o, o + 8 + (n + 7) // 8 * 8) for k, o, n in records(data) if k == kind)
             for kind in (first, second)]
    (a, b), (c, d) = spans
    data[a:d] = data[c:d] + data[b:c] + data[a:b]


def hvm_parameter(data, index):
    """Where the value of a parameter lies."""
    start = body(data, 10)
    count = struct.unpack_from("<I", data, start)[0]
    return next(start + 16 + 16 * n for n in range(count) if u64(data, start + 8 + 16 * n) == index)


def hvm_defects(data):
    context = body(data, 9)
    header = struct.unpack_from("<I", data, context + 4)[0]
    cpu = context + 8 + header
    assert struct.unpack_from("<H", data, cpu)[0] == 2
    return {
        "store-page-not-populated":
            lambda: struct.pack_into("<Q", data, hvm_parameter(data, 1), 0x123456),
        "console-page-not-populated":
            lambda: struct.pack_into("<Q", data, hvm_parameter(data, 17), 0x123456),
        "context-of-another-magic": lambda: struct.pack_into("<I", data, context + 8, 1),
        "no-vcpu-0": lambda: struct.pack_into("<H", data, cpu + 2, 1),
        "page-behind-any-memory": lambda: move_page(data, 5, 1 << 45),
    }


def main():
    data = bytearray(open(sys.argv[1], "rb").read())
    is_pv = struct.unpack_from("<I", data, libxc_start(data) - 16)[0] == 1
    defects = pv_defects(data) if is_pv else hvm_defects(data)
    if len(sys.argv) == 2:
        print("\n".join(defects))
        return
    defects[sys.argv[2]]()
    open(sys.argv[3], "wb").write(data)


if __name__ == "__main__":
    main()
