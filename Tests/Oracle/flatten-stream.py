#!/usr/bin/env python3
"""flatten-stream.py [--digest] FILE...: what a Xen save file or stream leaves in a guest.

An applier of xl files, libxl streams and libxc streams (versions 2 and 3), written from Xen's
specifications and independent of the project's own reader. For each file it prints, in a canonical
order, the type and SHA-256 of every populated page and then every record that is not memory; with
--digest only one SHA-256 over that text. Two streams that leave a guest in the same state print the same.
"""
import hashlib
import struct
import sys

XL_MAGIC = b"Xen saved domain, xl format\n \0 \r"
PAGE = 4096
END, PAGE_DATA, STATIC_DATA_END = 0x00, 0x01, 0x10
BROKEN, XALLOC, XTAB = 0xD, 0xE, 0xF


class Stream:
    def __init__(self, path):
        self.file = open(path, "rb")
        self.pages = {}      # PFN -> (type, digest or None)
        self.records = []    # (level, type, length, digest), in order

    def take(self, count):
        data = self.file.read(count)
        if len(data) != count:
            sys.exit(f"{self.file.name}: ends at {self.file.tell()}")
        return data

    def keep(self, level, kind, body):
        self.records.append((level, kind, len(body), hashlib.sha256(body).hexdigest()))

    def record(self):
        kind, length = struct.unpack("<II", self.take(8))
        return kind, length

    def body(self, length):
        return self.take(length + -length % 8)[:length]

    def page_data(self, length):
        count, _ = struct.unpack("<II", self.take(8))
        entries = struct.unpack(f"<{count}Q", self.take(8 * count))
        used = 8 + 8 * count
        for entry in entries:
            pfn, kind = entry & (1 << 52) - 1, entry >> 60
            if kind in (BROKEN, XALLOC):
                self.pages[pfn] = (kind, None)
            elif kind == XTAB:
                self.pages.pop(pfn, None)
            else:
                self.pages[pfn] = (kind, hashlib.sha256(self.take(PAGE)).hexdigest())
                used += PAGE
        if used != length:
            sys.exit(f"{self.file.name}: PAGE_DATA of {length} bytes holds {used}")

    def libxc(self):
        image = self.take(24)
        marker, ident = struct.unpack(">Q4s", image[:12])
        assert marker == 2**64 - 1 and ident == b"XENF", "no libxc stream"
        self.keep("header", 1, image)
        self.keep("header", 2, self.take(16))
        while True:
            kind, length = self.record()
            if kind == PAGE_DATA:
                self.page_data(length)
            elif kind == END:
                return
            else:
                body = self.body(length)
                if kind != STATIC_DATA_END:
                    self.keep("libxc", kind, body)

    def libxl(self):
        self.keep("header", 3, self.take(16))
        while True:
            kind, length = self.record()
            if kind == 0:
                return
            if kind == 1:
                self.libxc()
            else:
                self.keep("libxl", kind, self.body(length))

    def read(self):
        start = self.file.read(8)
        self.file.seek(0)
        if start == b"\xff" * 8:
            self.libxc()
        elif start == b"LibxlFmt":
            self.libxl()
        else:
            header = self.take(48)
            assert header[:32] == XL_MAGIC, "no Xen stream"
            self.keep("header", 4, header)
            self.keep("xl", 1, self.take(struct.unpack_from("<I", header, 44)[0]))
            self.libxl()
        assert not self.file.read(1), "bytes behind the end"
        return self

    def lines(self):
        for pfn in sorted(self.pages):
            kind, digest = self.pages[pfn]
            yield f"{pfn:x} {kind:x} {digest or '-'}"
        for level, kind, length, digest in self.records:
            yield f"{level} {kind:x} {length} {digest}"


def main():
    names = sys.argv[1:]
    short = "--digest" in names
    for name in (n for n in names if n != "--digest"):
        lines = "\n".join(Stream(name).read().lines())
        if short:
            print(hashlib.sha256(lines.encode()).hexdigest())
        else:
            print(lines)


main()
