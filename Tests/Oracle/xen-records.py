#!/usr/bin/env python3
"""xen-records.py SAVE RECORDS VCPUS: compares what ckpt-inspect says of the records of an image (JSON of `records`
and `vcpu`) with the `xl save` file SAVE it was captured from. The offsets are those of Xen's public headers."""
import hashlib
import json
import struct
import sys

save = open(sys.argv[1], "rb").read()
told = json.load(open(sys.argv[2]))
processors = json.load(open(sys.argv[3]))
HEADER, XL, LIBXL, LIBXC = "streamHeader", "xl", "libxl", "libxc"


def records():
    """(namespace, type, payload) in the order of the file, without pages and frames."""
    optional = struct.unpack_from("<I", save, 44)[0]
    yield HEADER, 4, save[:48]
    at = 48
    if optional:
        length = struct.unpack_from("<I", save, at)[0]
        yield XL, 1, save[at + 4:at + 4 + length]
        if optional > 4 + length:
            yield XL, 2, save[at + 4 + length:at + optional]
    at += optional
    yield HEADER, 3, save[at:at + 16]
    at += 16
    inside = False
    while True:
        kind, length = struct.unpack_from("<II", save, at)
        body = save[at + 8:at + 8 + length]
        at += 8 + (length + 7) // 8 * 8
        if inside:
            if kind not in (0, 1, 0x10):
                yield LIBXC, kind, body
            inside = kind != 0
        elif kind == 1:
            yield HEADER, 1, save[at:at + 24]
            yield HEADER, 2, save[at + 24:at + 40]
            at += 40
            inside = True
        elif kind == 0:
            return
        else:
            yield LIBXL, kind, body


def hexes(value):
    """What is told in hexadecimal as numbers, everywhere."""
    if isinstance(value, dict):
        return {key: hexes(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hexes(one) for one in value]
    return int(value, 16) if isinstance(value, str) and value.startswith("0x") else value


expected = list(records())
assert [(one["namespace"], one["type"], one["digest"], one["length"]) for one in told] == [
    (namespace, kind, hashlib.sha256(body).hexdigest(), len(body)) for namespace, kind, body in expected]
width = next((body[0] for namespace, kind, body in expected if (namespace, kind) == (LIBXC, 2)), 8)
registers, msrs = {}, {}
checked = 0
for one, (namespace, kind, body) in zip(told, expected):
    assert "problem" not in one, one
    contents = hexes(one.get("contents"))
    u32 = lambda at: struct.unpack_from("<I", body, at)[0]
    u64 = lambda at: struct.unpack_from("<Q", body, at)[0]
    checked += 1
    if (namespace, kind) == (XL, 1):
        assert one["contents"] == body.rstrip(b"\0").decode()
    elif (namespace, kind) == (HEADER, 2):
        assert contents == {"type": {1: "PV", 2: "HVM"}[u32(0)], "page_shift": 12, "xen_major": u32(8), "xen_minor": u32(12)}
    elif (namespace, kind) == (HEADER, 1):
        assert contents["version"] == struct.unpack_from(">I", body, 12)[0]
    elif (namespace, kind) == (LIBXC, 2):
        assert contents == {"guest_width": body[0], "pt_levels": body[1]}
    elif (namespace, kind) == (LIBXC, 3):
        frames = list(struct.unpack_from(f"<{(len(body) - 8) // 8}Q", body, 8))
        assert contents == {"start_pfn": u32(0), "end_pfn": u32(4), "frames": frames}
    elif (namespace, kind) == (LIBXC, 4):
        context = body[8:]
        if width == 8:
            q = lambda at: struct.unpack_from("<Q", context, at)[0]
            names = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi".split()
            found = {name: q(520 + 8 * place) for place, name in enumerate(names)}
            found.update(rip=q(520 + 128), rflags=q(520 + 144), rsp=q(520 + 152))
            found.update({f"cr{n}": q(4984 + 8 * n) for n in range(5)})
            found.update({"fs base": q(5144), "gs base": q(5152), "gs_base_user": q(5160), "gdt_entries": q(4960)})
            found.update({f"{name} selector": struct.unpack_from("<H", context, 520 + at)[0] for name, at in
                          (("cs", 136), ("ss", 160), ("es", 168), ("ds", 176), ("fs", 184), ("gs", 192))})
            found.update({"kernel_ss": q(4968), "kernel_sp": q(4976), "ldt_base": q(4816), "dr7": q(5048 + 56)})
        else:
            d = lambda at: struct.unpack_from("<I", context, at)[0]
            names = "ebx ecx edx esi edi ebp eax".split()
            found = {name: d(516 + 4 * place) for place, name in enumerate(names)}
            found.update(eip=d(516 + 32), eflags=d(516 + 40), esp=d(516 + 44), cr3=d(2716 + 12), gdt_entries=d(2704))
        registers[u32(0)] = found
    elif (namespace, kind) == (LIBXC, 6):
        assert contents["vcpu"] == u32(0) and contents["xcr0"] == u64(8) and contents["bytes"] == len(body) - 24
    elif (namespace, kind) == (LIBXC, 7):
        at = 3072 if width == 8 else 2304
        assert (contents["wc_version"], contents["wc_sec"], contents["wc_nsec"]) == struct.unpack_from("<III", body, at)
        assert contents["max_pfn"] == (u64(3088) if width == 8 else u32(2316))
    elif (namespace, kind) == (LIBXC, 8):
        assert contents == dict(zip(("mode", "khz", "nsec", "incarnation"), struct.unpack_from("<IIQI", body)))
    elif (namespace, kind) == (LIBXC, 9):
        at, entries = 0, []
        while at < len(body):
            code, instance, length = struct.unpack_from("<HHI", body, at)
            data = body[at + 8:at + 8 + length]
            entries.append((code, instance, length))
            at += 8 + length
            if code == 2 and length >= 1016:
                q = lambda place: struct.unpack_from("<Q", data, place)[0]
                d = lambda place: struct.unpack_from("<I", data, place)[0]
                names = "rax rbx rcx rdx rbp rsi rdi rsp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags cr0 cr2 cr3 cr4".split()
                found = {name: q(512 + 8 * place) for place, name in enumerate(names)}
                found.update(efer=q(992), lstar=q(960), sysenter_eip=q(936), dr7=q(728), idtr_base=q(872), gdtr_base=q(880),
                             idtr_limit=d(800), gdtr_limit=d(804))
                for place, name in enumerate("cs ds es fs gs ss tr ldtr".split()):
                    found.update({f"{name} selector": d(736 + 4 * place), f"{name} limit": d(768 + 4 * place),
                                  f"{name} base": q(808 + 8 * place), f"{name} attributes": d(888 + 4 * place)})
                if length >= 1024:
                    found.update(tsc_aux=q(1000), tsc=q(1008))
                registers[instance] = found
            if code == 20:
                msrs[instance] = {d[0]: d[1] for d in (struct.unpack_from("<IxxxxQ", data, 8 + 16 * n)
                                                       for n in range(struct.unpack_from("<I", data)[0]))}
        assert [(e["type"], e["instance"], e["length"]) for e in contents] == entries
    elif (namespace, kind) == (LIBXC, 0xa):
        assert [(e["index"], e["value"]) for e in contents] == list(struct.iter_unpack("<QQ", body[8:]))
    elif (namespace, kind) == (LIBXC, 0xc):
        msrs[u32(0)] = {index: value for index, value in struct.iter_unpack("<IxxxxQ", body[8:])}
    elif (namespace, kind) == (LIBXC, 0x11):
        assert [tuple(e.get(name, 0xffffffff) for name in ("leaf", "subleaf", "eax", "ebx", "ecx", "edx"))
                for e in contents] == list(struct.iter_unpack("<6I", body))
    elif (namespace, kind) == (LIBXC, 0x12):
        assert [(e["index"], e["value"]) for e in contents] == list(struct.iter_unpack("<IxxxxQ", body))
    elif (namespace, kind) == (LIBXL, 2):
        texts = body[8:].decode().split("\0")[:-1]
        assert [text for pair in contents["pairs"] for text in (pair["key"], pair["value"])] == texts
    else:
        checked -= 1
assert checked >= 5, checked

assert [one["id"] for one in processors] == sorted(registers), (processors, registers)
for one in processors:
    one = hexes(one)
    flat = {int(name, 16): value for name, value in one.pop("msrs", {}).items()}
    assert flat == msrs.get(one["id"], {}), flat
    found = {}
    for group in one.values():
        for name, value in (group.items() if isinstance(group, dict) else ()):
            if isinstance(value, dict):
                found.update({f"{name} {part}": number for part, number in value.items()})
            else:
                found[name] = value
    wanted = registers[one["id"]]
    assert {name: found.get(name) for name in wanted} == wanted, (found, wanted)
