#!/usr/bin/env python3
"""generate-streams.py FOLDER: tiny synthetic save files and streams, each named after what it is.

The ending is the format: xl, libxl, libxc, libvirt, xenserver. good-*  accepted and exported byte for
byte; repeat-* hold a page more than once, so that only what they leave in a guest can be the same;
chain-KIND-N are successive saves of one guest; moments-N-* are checkpointed streams with N complete
moments; bad-* each have one defect. The bytes are the same in every run.
"""
import os
import random
import struct
import sys

pack = struct.pack
PAGE = 4096


def image_header(version=3, options=0):
    return pack(">QIIHHI", 2**64 - 1, 0x58454E46, version, options, 0, 0)


def domain_header(kind, shift=12):
    return pack("<IHHII", kind, shift, 0, 4, 17)


def record(kind, body=b"", length=None, padding=None):
    pad = bytes(-len(body) % 8) if padding is None else padding
    return pack("<II", kind, len(body) if length is None else length) + body + pad


def page(seed):
    """Contents that compress a little; seed 0 is a zero page."""
    if seed == 0:
        return bytes(PAGE)
    noise = random.Random(seed).randbytes(64)
    return (noise * 64)[:PAGE]


def pages(entries, reserved=0, count=None):
    """A PAGE_DATA record of (PFN, type, seed or None)."""
    body = pack("<II", len(entries) if count is None else count, reserved)
    body += b"".join(pack("<Q", kind << 60 | pfn) for pfn, kind, _ in entries)
    return record(1, body + b"".join(page(s) for *_, s in entries if s is not None))


CPUID = record(0x11, pack("<6I", 0, 0xFFFFFFFF, 1, 2, 3, 4))
MSR = record(0x12, pack("<IIQ", 0xCE, 0, 1 << 31))
STATIC_END = record(0x10)
END = record(0)
TSC = record(8, pack("<IIQII", 0, 2400000, 123456789, 1, 0))


def hvm_context(seed=0):
    def entry(code, body):
        return pack("<HHI", code, 0, len(body)) + body
    cpu = random.Random(seed).randbytes(1032)
    header = pack("<IIQII", 0x54381286, 1, 2**64 - 1, 0x806EC, 2400000)
    return entry(1, header) + entry(2, cpu) + entry(0, b"")


def hvm_tail(seed=0):
    params = pack("<II4Q", 2, 0, 1, 0xFEFFC, 17, 0xFEFFF)
    return TSC + record(9, hvm_context(seed)) + record(10, params) + END


def static(version):
    return CPUID + MSR + STATIC_END if version >= 3 else b""


def hvm(body, version=3, tail=None):
    head = image_header(version) + domain_header(2) + static(version)
    return head + body + (hvm_tail() if tail is None else tail)


def vcpu(kind, number, body):
    return record(kind, pack("<II", number, 0) + body)


def pv_tail(width=8, vcpus=1, seed=0):
    rng = random.Random(seed)
    out = TSC + record(7, rng.randbytes(PAGE))
    for number in range(vcpus):
        out += vcpu(4, number, rng.randbytes(5168 if width == 8 else 2800))
        out += vcpu(5, number, rng.randbytes(64))
        out += vcpu(6, number, rng.randbytes(592))
        out += vcpu(12, number, pack("<IIQ", 0xC0000080, 0, number))
    return out + END


def pv(body, version=3, width=8, tail=None, p2m=None):
    levels = {8: 4, 4: 3}[width]
    info = record(2, pack("<BBHI", width, levels, 0, 0))
    frames = record(3, pack("<IIQ", 0, 511, 7)) if p2m is None else p2m
    head = image_header(version) + domain_header(1) + info + static(version) + frames
    return head + body + (pv_tail(width) if tail is None else tail)


def libxl(libxc, extra=b"", version=2, options=0, end=record(0)):
    return pack(">QII", 0x4C6962786C466D74, version, options) + record(1) + libxc + extra + end


def xl(stream, config=b'{"c_info":{"name":"tiny","uuid":"6c1b2c5e-0000-4000-8000-000000000001"}}\0',
       rest=b"", order=0x01020304, flags=3, length=None, config_length=None):
    size = len(config) if config_length is None else config_length
    optional = pack("<I", size) + config + rest
    size = len(optional) if length is None else length
    return (b"Xen saved domain, xl format\n \0 \r" + pack("<IIII", order, flags, 0, size)
            + optional + stream)


def emulator():
    store = b"physmap/a0000/start_addr\0f0000000\0physmap/a0000/size\0800000\0"
    return (record(2, pack("<II", 2, 0) + store)
            + record(3, pack("<II", 2, 0) + b"QEVM-opaque-state-of-a-device-model"))


def libvirt(stream, xml=b"<domain type='xen'><name>tiny</name></domain>", version=2, length=None):
    size = len(xml) if length is None else length
    return b"libvirt-xml\n \0 \r" + pack("<II", version, size) + bytes(40) + xml + stream


def section(kind, body=b"", length=None):
    return pack("<QQ", kind, len(body) if length is None else length) + body


XENOPS = section(0x0F, b"((time 20261123T10:00:00Z)(word_size 64))")
XENSERVER_END = section(0xFFFF)


def xenserver(libxc, model=b"", xenops=XENOPS, end=XENSERVER_END):
    """A suspend image; the section of the libxc stream has no length that means anything."""
    return b"XenSavedDomv2-\n" + xenops + section(0xF0, length=0) + libxc + model + end


QEMU_SECTION = section(0x0F01, b"QEVM-opaque-state-of-a-device-model")


def hvm_pages():
    first = [(n, 0, n % 7) for n in range(0, 40)] + [(n, 15, None) for n in range(40, 60)]
    second = [(60, 14, None), (61, 13, None), (62, 0, 3), (0xFEFFC, 0, 5), (0xFEFFF, 0, 0)]
    return pages(first) + pages(second)


def pv_pages():
    kinds = [0, 1, 2, 3, 4, 9, 10, 11, 12]
    data = [(n, kinds[n % 9], n % 5) for n in range(64)]
    return pages(data) + pages([(64, 13, None), (65, 14, None), (66, 15, None), (67, 12, 0)])


def good():
    yield "hvm-v3", xl(libxl(hvm(hvm_pages())))
    yield "hvm-v2", xl(libxl(hvm(hvm_pages(), version=2)))
    yield "pv-v3", xl(libxl(pv(pv_pages())))
    yield "pv-v2", xl(libxl(pv(pv_pages(), version=2)))
    yield "pv-32bit", xl(libxl(pv(pv_pages(), width=4, p2m=record(3, pack("<IIQ", 0, 1023, 7)))))
    yield "pv-4-vcpus", xl(libxl(pv(pv_pages(), tail=pv_tail(vcpus=4))))
    yield "hvm-device-model", xl(libxl(hvm(hvm_pages()), extra=emulator()))
    yield "hvm-empty", xl(libxl(hvm(b"")))
    yield "hvm-one-page", xl(libxl(hvm(pages([(0, 0, 1)]))))
    yield "hvm-all-zero", xl(libxl(hvm(pages([(n, 0, 0) for n in range(100)]))))
    yield "hvm-no-contents", xl(libxl(hvm(pages([(n, 15, None) for n in range(100)]))))
    yield "hvm-batches-of-1024", xl(libxl(hvm(b"".join(
        pages([(b * 1024 + n, 0 if n % 50 == 0 else 15, 1 + n % 9 if n % 50 == 0 else None)
               for n in range(1024)]) for b in range(3)))))
    yield "hvm-odd-batches", xl(libxl(hvm(
        pages([(n, 0, n) for n in range(3)]) + pages([(n, 0, n) for n in range(3, 10)])
        + pages([(n, 0, n) for n in range(10, 11)]))))
    yield "hvm-descending", xl(libxl(hvm(pages([(n, 0, n) for n in range(20, 0, -1)]))))
    yield "hvm-reserved-word", xl(libxl(hvm(pages([(1, 0, 1)], reserved=7) + pages([(2, 0, 2)]))))
    yield "hvm-padding-not-zero", xl(libxl(hvm(
        record(0x80000042, b"abc", padding=b"12345") + pages([(1, 0, 1)]))))
    yield "hvm-optional-record", xl(libxl(hvm(record(0x80000001, b"later") + hvm_pages())))
    yield "hvm-highest-pfn", xl(libxl(hvm(pages([(0, 0, 1), (2**52 - 1, 0, 2)]))))
    yield "hvm-empty-parameters", xl(libxl(hvm(
        hvm_pages(), tail=TSC + record(9, hvm_context()) + record(10, bytes(8)) + END)))
    yield "xl-more-optional-data", xl(libxl(hvm(hvm_pages())), rest=b"optional data of a later xl")
    yield "xl-no-configuration", xl(libxl(hvm(hvm_pages())), config=b"")


def repeated():
    once = [(n, 0, n) for n in range(1, 30)]
    yield "within-a-record", xl(libxl(hvm(pages(once + [(5, 0, 99), (6, 0, 0)]))))
    yield "across-records", xl(libxl(hvm(
        pages(once) + pages([(3, 0, 77), (4, 15, None), (8, 0, 0)]) + pages([(8, 0, 55)]))))
    yield "live", xl(libxl(pv(
        pages([(n, 15 if n % 4 == 0 else 0, None if n % 4 == 0 else n) for n in range(600)])
        + pages([(n, 1, n + 1000) for n in range(0, 600, 3)])
        + pages([(n, 0, 0) for n in range(0, 600, 4)]))))


def chain(kind):
    """Five saves: pages change, become zero, appear, vanish and change their type."""
    state = {n: (0, n % 6) for n in range(80)}
    for number in range(5):
        if number:
            state[number] = (0, 100 + number)
            state[10 + number] = (0, 0)
            state[80 + number] = (0, 200 + number)
            state.pop(20 + number)
            if kind == "pv":
                state[30 + number] = (9, state[30 + number][1])
        entries = [(n, *state[n]) if n in state else (n, 15, None) for n in range(100)]
        if kind == "pv":
            stream = pv(pages(entries), tail=pv_tail(seed=number))
        else:
            stream = hvm(pages(entries), tail=hvm_tail(number))
        yield f"{kind}-{number}", xl(libxl(stream))


def good_sources():
    yield "hvm-v3.libxc", hvm(hvm_pages())
    yield "hvm-v2.libxc", hvm(hvm_pages(), version=2)
    yield "hvm-empty.libxc", hvm(b"")
    yield "pv-v3.libxc", pv(pv_pages())
    yield "pv-v2.libxc", pv(pv_pages(), version=2)
    yield "hvm.libxl", libxl(hvm(hvm_pages()))
    yield "hvm-device-model.libxl", libxl(hvm(hvm_pages()), extra=emulator())
    yield "pv.libxl", libxl(pv(pv_pages()))
    yield "hvm.libvirt", libvirt(libxl(hvm(hvm_pages())))
    yield "hvm-device-model.libvirt", libvirt(libxl(hvm(hvm_pages()), extra=emulator()))
    yield "pv.libvirt", libvirt(libxl(pv(pv_pages())))
    yield "hvm.xenserver", xenserver(hvm(hvm_pages()))
    yield "hvm-device-model.xenserver", xenserver(hvm(hvm_pages()), QEMU_SECTION)
    yield "hvm-vgpu-and-uefi.xenserver", xenserver(hvm(hvm_pages()), QEMU_SECTION + section(0x0F10, b"vgpu")
                                                   + section(0x0F11, b"variables"))
    yield "pv.xenserver", xenserver(pv(pv_pages()))


def repeated_sources():
    rounds = pages([(n, 15 if n % 4 == 0 else 0, None if n % 4 == 0 else n) for n in range(600)]) \
        + pages([(n, 0, n + 1000) for n in range(0, 600, 3)]) + pages([(n, 0, 0) for n in range(0, 600, 4)])
    yield "live.libxc", hvm(rounds)
    yield "live.libxl", libxl(hvm(rounds), extra=emulator())
    yield "live.libvirt", libvirt(libxl(pv(rounds)))
    yield "live.xenserver", xenserver(hvm(rounds), QEMU_SECTION)
    # After VERIFY all memory is sent again, to be compared: no update, even if it is not the same.
    yield "verify.libxc", hvm(pages([(1, 0, 1), (2, 0, 2)]) + record(0x0D) + pages([(1, 0, 1), (2, 0, 9)]))


CHECKPOINT, CHECKPOINT_END = record(0x0E), record(4)


def checkpointed(kind, moments, last=END):
    """The libxc parts of a checkpointed stream, one for each moment; all but the last end with CHECKPOINT."""
    for number in range(moments):
        if number == 0:
            entries = [(n, 15 if n % 9 == 8 else 0, None if n % 9 == 8 else n % 5) for n in range(80)]
        else:
            # Pages change, become zero, appear, vanish; one comes twice; in a PV guest one becomes a page table.
            entries = [(number, 0, 100 + number), (10 + number, 0, 0), (80 + number, 0, 200 + number), (20 + number, 15, None),
                       (30 + number, 9 if kind == "pv" else 0, 300 + number), (number, 0, 400 + number)]
        tail = pv_tail(seed=number) if kind == "pv" else hvm_tail(number)
        # The second moment sends the frames of the P2M again, the others inherit them.
        frames = record(3, pack("<IIQ", 0, 511, 6 + number)) if kind == "pv" and number == 2 else b""
        body = frames + pages(entries)
        end = CHECKPOINT if number < moments - 1 or last == CHECKPOINT else END
        if number == 0:
            body = (pv if kind == "pv" else hvm)(body, tail=b"")
        yield body + tail[:-len(END)] + end


def device_model(number):
    return record(3, pack("<II", 2, 0) + b"QEVM-state-%d" % number)


def moments():
    for kind in ("hvm", "pv"):
        bare = list(checkpointed(kind, 4, CHECKPOINT))
        yield f"4-{kind}.libxc", b"".join(bare)
        yield f"4-{kind}-cut.libxc", b"".join(bare) + pages([(3, 0, 77)]) + TSC
        yield f"4-{kind}-cut-in-a-page.libxc", b"".join(bare) + pages([(3, 0, 77)])[:-100]
        yield f"5-{kind}-ended.libxc", b"".join(checkpointed(kind, 5))
    plain = [part + CHECKPOINT_END for part in checkpointed("pv", 4, CHECKPOINT)]
    yield "4-pv.libxl", libxl(b"".join(plain), end=b"")
    model = [part + device_model(number) + CHECKPOINT_END for number, part in enumerate(checkpointed("hvm", 4, CHECKPOINT))]
    yield "4-hvm-device-model.libxl", libxl(b"".join(model), end=b"")
    # The libxc part of the last moment is whole, but libxl has not closed it.
    yield "3-hvm-device-model-cut.libxl", libxl(b"".join(model)[:-len(CHECKPOINT_END)], end=b"")
    yield "1-hvm-device-model-cut.libxl", libxl(b"".join(model[:2])[:-100], end=b"")


def more():
    """Whole streams with something behind them, as on a volume that is larger, or in a recorded migration."""
    one = pages([(1, 0, 1)])
    for kind, whole in [("libxc", hvm(one)), ("libxl", libxl(hvm(one))), ("xenserver", xenserver(hvm(one))),
                        ("libvirt", libvirt(libxl(hvm(one)))), ("xl", xl(libxl(hvm(one))))]:
        for name, rest in [("a-byte", b"x"), ("zeros", bytes(100_000)), ("text", b"migration receiver stream\n"), ("itself", whole)]:
            yield f"{name}.{kind}", whole + rest


def short():
    """Streams whose memory is whole, and whose rest is not: cut or damaged behind libxc's END."""
    one = pages([(1, 0, 1)])
    for kind, whole in [("libxl", libxl(hvm(one), extra=emulator())), ("xl", xl(libxl(hvm(one), extra=emulator()))),
                        ("libvirt", libvirt(libxl(hvm(one), extra=emulator()))), ("xenserver", xenserver(hvm(one), QEMU_SECTION))]:
        rest = len(whole) - whole.index(hvm(one)) - len(hvm(one))
        for missing in sorted({1, 8, rest // 2, rest - 1, rest}):
            yield f"{missing}-bytes-missing.{kind}", whole[:-missing]
    yield "checkpoint.xl", xl(libxl(hvm(one), extra=record(4)))
    yield "second-context.xl", xl(libxl(hvm(one), extra=record(1)))
    yield "xenstore-not-terminated.xl", xl(libxl(hvm(one), extra=record(2, bytes(8) + b"key\0v")))
    yield "emulator-too-long.xl", xl(libxl(hvm(one), extra=record(3, b"", length=2**31)))
    yield "two-libxc.xenserver", xenserver(hvm(one), section(0xF0, length=0) + hvm(one))
    yield "section-too-long.xenserver", xenserver(hvm(one), section(0x0F01, b"", length=2**62))


def bad_sources():
    one = pages([(1, 0, 1)])
    whole = libxl(hvm(one))
    yield "truncated-page.libxc", hvm(one)[:-3000]
    yield "cut-in-the-first-moment.libxc", next(checkpointed("hvm", 2))[:-9]
    yield "colo.libxl", libxl(hvm(one), extra=record(5, pack("<I", 0)))
    yield "libvirt-legacy.libvirt", libvirt(whole, version=1)
    yield "libvirt-xml-too-long.libvirt", libvirt(whole, length=2**32 - 1)
    yield "libvirt-header-cut.libvirt", libvirt(whole)[:50]
    yield "libvirt-without-stream.libvirt", libvirt(b"")
    yield "legacy.xenserver", xenserver(hvm(one)).replace(b"XenSavedDomv2-", b"XenSavedDomain")
    yield "libxc-legacy.xenserver", b"XenSavedDomv2-\n" + XENOPS + section(0xF2, b"legacy") + XENSERVER_END
    yield "without-libxc.xenserver", b"XenSavedDomv2-\n" + XENOPS + XENSERVER_END
    yield "unknown-section.xenserver", xenserver(hvm(one), section(0x77, b"?"))


def bad():
    one = pages([(1, 0, 1)])
    whole = xl(libxl(hvm(one)))
    yield "truncated-xl-header", whole[:40]
    yield "truncated-configuration", whole[:60]
    yield "truncated-page", whole[:-3000]
    yield "xl-byte-order", xl(libxl(hvm(one)), order=0x04030201)
    yield "xl-unknown-mandatory-flag", xl(libxl(hvm(one)), flags=7)
    yield "xl-legacy-stream", xl(libxl(hvm(one)), flags=1)
    yield "xl-optional-data-too-long", xl(libxl(hvm(one)), length=2**32 - 1)
    yield "xl-optional-data-too-short", xl(libxl(hvm(one)), length=2)
    yield "xl-configuration-too-long", xl(libxl(hvm(one)), config_length=2**31)
    yield "libxl-version", xl(libxl(hvm(one), version=3))
    yield "libxl-big-endian", xl(libxl(hvm(one), options=1))
    yield "libxl-unknown-record", xl(libxl(hvm(one), extra=record(77, b"?")))
    yield "libxl-without-libxc", xl(pack(">QII", 0x4C6962786C466D74, 2, 0) + record(0))
    yield "libxc-version", xl(libxl(hvm(one, version=4)))
    yield "libxc-big-endian", xl(libxl(image_header(3, 1) + hvm(one)[24:]))
    yield "libxc-marker", xl(libxl(b"\0" + hvm(one)[1:]))
    yield "guest-type", xl(libxl(image_header() + domain_header(9) + hvm(one)[40:]))
    yield "page-shift", xl(libxl(image_header() + domain_header(2, 13) + hvm(one)[40:]))
    yield "record-too-long", xl(libxl(hvm(record(8, b"", length=0xFFFFFFFF))))
    yield "record-past-the-end", xl(libxl(hvm(record(0x80000001, b"", length=1 << 20))))
    yield "unknown-record", xl(libxl(hvm(record(0x42, b"?") + one)))
    yield "page-count-zero", xl(libxl(hvm(pages([(1, 0, 1)], count=0))))
    yield "page-count-lies", xl(libxl(hvm(pages([(1, 0, 1)], count=2))))
    yield "page-count-huge", xl(libxl(hvm(pages([(1, 0, 1)], count=2**32 - 1))))
    yield "page-contents-missing", xl(libxl(hvm(pages([(1, 0, 1), (2, 0, None)]))))
    yield "page-reserved-bits", xl(libxl(hvm(pages([(1 << 52 | 1, 0, 1)]))))
    for kind in range(5, 9):
        yield f"page-type-{kind}", xl(libxl(hvm(pages([(1, kind, 1)]))))
    early = image_header() + domain_header(2) + CPUID + one + STATIC_END + hvm_tail()
    yield "pages-before-static-data-end", xl(libxl(early))
    yield "static-data-end-twice", xl(libxl(hvm(STATIC_END + one)))
    yield "static-data-end-in-v2", xl(libxl(hvm(STATIC_END + one, version=2)))
    yield "pv-record-in-hvm", xl(libxl(hvm(record(7, bytes(PAGE)) + one)))
    yield "hvm-record-in-pv", xl(libxl(pv(record(9, hvm_context()) + one)))
    yield "hvm-without-context", xl(libxl(hvm(one, tail=TSC + record(10, bytes(8)) + END)))
    yield "hvm-without-parameters", xl(libxl(hvm(one, tail=TSC + record(9, hvm_context()) + END)))
    yield "hvm-context-overrun", xl(libxl(hvm(
        one, tail=record(9, pack("<HHI", 1, 0, 999)) + record(10, bytes(8)) + END)))
    yield "hvm-context-without-header", xl(libxl(hvm(
        one, tail=record(9, pack("<HHI", 0, 0, 0)) + record(10, bytes(8)) + END)))
    yield "hvm-parameter-count", xl(libxl(hvm(
        one, tail=record(9, hvm_context()) + record(10, pack("<II", 9, 0)) + END)))
    tail = pv_tail()
    yield "pv-without-shared-info", xl(libxl(pv(one, tail=TSC + tail[len(TSC) + 8 + PAGE:])))
    yield "pv-without-vcpu-0", xl(libxl(pv(
        one, tail=TSC + record(7, bytes(PAGE)) + vcpu(4, 1, bytes(5168)) + END)))
    yield "pv-vcpu-twice", xl(libxl(pv(
        one, tail=TSC + record(7, bytes(PAGE)) + 2 * vcpu(4, 0, bytes(5168)) + END)))
    yield "pv-vcpu-number", xl(libxl(pv(one, tail=vcpu(4, 9000, bytes(5168)) + tail)))
    yield "pv-vcpu-length", xl(libxl(pv(one, tail=vcpu(4, 1, bytes(5160)) + tail)))
    yield "pv-p2m-length", xl(libxl(pv(one, p2m=record(3, pack("<IIQ", 0, 1023, 7)))))
    yield "pv-p2m-reversed", xl(libxl(pv(one, p2m=record(3, pack("<IIQ", 9, 1, 7)))))
    yield "pv-width", xl(libxl(
        image_header() + domain_header(1) + record(2, pack("<BBHI", 8, 3, 0, 0)) + pv(one)[56:]))
    yield "tsc-length", xl(libxl(hvm(one, tail=record(8, bytes(16)) + hvm_tail())))
    yield "cpuid-length", xl(libxl(image_header() + domain_header(2) + record(0x11, bytes(20)) + hvm(one)[40:]))
    yield "verify-record-with-a-body", xl(libxl(hvm(one + record(0x0D, bytes(8)))))
    yield "checkpoint-record", xl(libxl(hvm(one + record(0x0E))))
    yield "end-with-body", xl(libxl(hvm(one, tail=hvm_tail()[:-8] + record(0, bytes(8)))))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    groups = [("good", good()), ("repeat", repeated()), ("chain", chain("hvm")), ("chain", chain("pv")), ("bad", bad()),
              ("good", good_sources()), ("repeat", repeated_sources()), ("moments", moments()), ("bad", bad_sources()),
              ("more", more()), ("short", short())]
    for group, streams in groups:
        for name, data in streams:
            name = name if "." in name else f"{name}.xl"
            with open(os.path.join(folder, f"{group}-{name}"), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
