#!/usr/bin/env python3
"""flatten-stream.py [--digest] [--epoch N] [--moments] [--of libxc|libxl] FILE...: what a Xen save file or stream leaves in a guest.

An applier of xl files, libvirt files, suspend images of XenServer, libxl streams and libxc streams (versions 2 and 3;
live and checkpointed ones too), written from Xen's specifications and independent of the project's own reader. For
each file it prints, in a canonical order, the type and SHA-256 of every populated page and then every record that
is not memory. Two streams that leave a guest in the same state print the same.

--digest  print only one SHA-256 over that text
--epoch   the moment of a checkpointed stream, from 0; without it the last complete one
--moments print how many complete moments there are
--of      only the records of the libxc, or of the libxc and libxl streams inside: what their exports keep
"""
import argparse
import hashlib
import struct
import sys

XL_MAGIC = b"Xen saved domain, xl format\n \0 \r"
LIBVIRT_MAGIC = b"libvirt-xml\n \0 \r"
XENSERVER_MAGIC = b"XenSavedDomv2-\n"
PAGE = 4096
END, PAGE_DATA, PV_INFO, P2M_FRAMES, VERIFY, CHECKPOINT = 0x00, 0x01, 0x02, 0x03, 0x0D, 0x0E
STATIC_DATA_END, CPUID_POLICY, MSR_POLICY = 0x10, 0x11, 0x12
STATIC = {("libxc", PV_INFO), ("libxc", CPUID_POLICY), ("libxc", MSR_POLICY)}
BROKEN, XALLOC, XTAB = 0xD, 0xE, 0xF
LIBXL_END, LIBXC_CONTEXT, CHECKPOINT_END = 0, 1, 4
LIBXC_SECTION, END_OF_IMAGE = 0xF0, 0xFFFF
PARTS = {"libxc": {("header", 1), ("header", 2), "libxc"}}
PARTS["libxl"] = PARTS["libxc"] | {("header", 3), "libxl"}


class Cut(Exception):
    """The input ends too early."""


class Moment:
    """Pages {PFN: (type, digest or None)} and records (level, type, length, digest) in order."""

    def __init__(self, before=None):
        self.pages = dict(before.pages) if before else {}
        self.kept = before.records if before else []
        self.sent = []

    @property
    def records(self):
        """What was sent, behind what stays valid of the moment before: static and sticky records and headers."""
        again = {record[:2] for record in self.sent}
        return [record for record in self.kept if self.stays(record) and record[:2] not in again] + self.sent

    @staticmethod
    def stays(record):
        return record[0] in ("header", "xl", "libvirt") or record[:2] in STATIC | {("libxc", P2M_FRAMES)}


class Stream:
    def __init__(self, path, epoch=None):
        self.file = open(path, "rb")
        self.epoch = epoch
        self.moment, self.moments, self.wanted = Moment(), 0, None

    def take(self, count):
        data = self.file.read(count)
        if len(data) != count:
            raise Cut(f"{self.file.name}: ends at {self.file.tell()}")
        return data

    def keep(self, level, kind, body):
        self.moment.sent.append((level, kind, len(body), hashlib.sha256(body).hexdigest()))

    def commit(self):
        """A moment is complete; the next one begins with what it leaves."""
        if self.epoch is None or self.moments == self.epoch:
            self.wanted = self.moment
        self.moment, self.moments = Moment(self.moment), self.moments + 1

    def record(self):
        return struct.unpack("<II", self.take(8))

    def body(self, length):
        return self.take(length + -length % 8)[:length]

    def page_data(self, length):
        count, _ = struct.unpack("<II", self.take(8))
        entries = struct.unpack(f"<{count}Q", self.take(8 * count))
        used = 8 + 8 * count
        for entry in entries:
            pfn, kind = entry & (1 << 52) - 1, entry >> 60
            if kind in (BROKEN, XALLOC):
                self.moment.pages[pfn] = (kind, None)
            elif kind == XTAB:
                self.moment.pages.pop(pfn, None)
            else:
                self.moment.pages[pfn] = (kind, hashlib.sha256(self.take(PAGE)).hexdigest())
                used += PAGE
        if used != length:
            sys.exit(f"{self.file.name}: PAGE_DATA of {length} bytes holds {used}")

    def libxc_headers(self):
        image = self.take(24)
        marker, ident = struct.unpack(">Q4s", image[:12])
        assert marker == 2**64 - 1 and ident == b"XENF", "no libxc stream"
        self.keep("header", 1, image)
        self.keep("header", 2, self.take(16))

    def libxc_records(self):
        """Up to END or CHECKPOINT; gives which of them it was."""
        compared = False
        while True:
            kind, length = self.record()
            if kind == PAGE_DATA and compared:
                self.body(length)           # sent again, only to be compared
            elif kind == PAGE_DATA:
                self.page_data(length)
            elif kind in (END, CHECKPOINT):
                return kind
            else:
                body = self.body(length)
                compared = compared or kind == VERIFY
                if kind not in (STATIC_DATA_END, VERIFY):
                    self.keep("libxc", kind, body)

    def libxc(self):
        self.libxc_headers()
        while self.libxc_records() == CHECKPOINT:
            self.commit()
        self.commit()

    def libxl(self):
        self.keep("header", 3, self.take(16))
        while True:
            kind, length = self.record()
            if kind == LIBXL_END:
                return self.commit()
            if kind == LIBXC_CONTEXT:
                self.libxc_headers()
                self.libxc_records()
            elif kind == CHECKPOINT_END:
                self.commit()
                self.libxc_records()        # goes on without headers
            else:
                self.keep("libxl", kind, self.body(length))

    def xenserver(self):
        self.keep("header", 6, self.take(15))
        while True:
            kind, length = struct.unpack("<QQ", self.take(16))
            if kind == END_OF_IMAGE:
                return self.commit()
            if kind == LIBXC_SECTION:       # its length means nothing
                self.libxc_headers()
                self.libxc_records()
            else:
                self.keep("xenserver", kind, self.take(length))

    def read(self):
        start = self.file.read(48)
        self.file.seek(0)
        try:
            if start[:8] == b"\xff" * 8:
                self.libxc()
            elif start[:8] == b"LibxlFmt":
                self.libxl()
            elif start.startswith(LIBVIRT_MAGIC):
                header = self.take(64)
                self.keep("header", 5, header)
                self.keep("libvirt", 1, self.take(struct.unpack_from("<I", header, 20)[0]))
                self.libxl()
            elif start.startswith(XENSERVER_MAGIC):
                self.xenserver()
            else:
                header = self.take(48)
                assert header[:32] == XL_MAGIC, "no Xen stream"
                self.keep("header", 4, header)
                self.keep("xl", 1, self.take(struct.unpack_from("<I", header, 44)[0]))
                self.libxl()
            assert not self.file.read(1), "bytes after the end"
        except Cut as cut:
            # A checkpointed stream ends like this as a rule: what came behind the last checkpoint is dropped.
            if not self.moments:
                sys.exit(str(cut))
        if not self.wanted:
            sys.exit(f"{self.file.name}: {self.moments} moments")
        return self

    def lines(self, part=None):
        for pfn in sorted(self.wanted.pages):
            kind, digest = self.wanted.pages[pfn]
            yield f"{pfn:x} {kind:x} {digest or '-'}"
        for level, kind, length, digest in self.wanted.records:
            if part is None or level in PARTS[part] or (level, kind) in PARTS[part]:
                yield f"{level} {kind:x} {length} {digest}"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--digest", action="store_true")
    parser.add_argument("--epoch", type=int)
    parser.add_argument("--moments", action="store_true")
    parser.add_argument("--of", choices=PARTS)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    for name in options.files:
        stream = Stream(name, options.epoch).read()
        lines = "\n".join(stream.lines(options.of))
        if options.moments:
            print(stream.moments)
        elif options.digest:
            print(hashlib.sha256(lines.encode()).hexdigest())
        else:
            print(lines)


main()
