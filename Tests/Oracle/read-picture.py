#!/usr/bin/env python3
"""Reads a PNG or SVG picture of a map and prints how many pixels each colour covers, as JSON.

usage: read-picture.py FILE

Written from the PNG specification and SVG's, for the subset the tools write; everything about the chunks is
checked: order, lengths, checksums, and that the pixels are all there and no more.
"""
import collections, json, re, struct, sys, zlib
import xml.etree.ElementTree as ET


def png(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, names, parts = 8, [], {}
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + length]
        (crc,) = struct.unpack_from(">I", data, at + 8 + length)
        assert len(body) == length and crc == zlib.crc32(name + body), name
        names.append(name)
        parts[name] = body
        at += 12 + length
    assert names == [b"IHDR", b"PLTE", b"IDAT", b"IEND"] and at == len(data), names
    width, height, depth, kind, *rest = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert (depth, kind, rest) == (8, 3, [0, 0, 0]) and width and height
    unpacker = zlib.decompressobj()
    rows = unpacker.decompress(parts[b"IDAT"])
    assert unpacker.eof and not unpacker.unused_data and len(rows) == (width + 1) * height
    counts = collections.Counter()
    for row in range(height):
        line = rows[row * (width + 1):(row + 1) * (width + 1)]
        assert line[0] == 0
        counts.update(line[1:])
    palette = parts[b"PLTE"]
    assert len(palette) % 3 == 0 and max(counts) < len(palette) // 3
    return width, height, {"#" + palette[3 * n:3 * n + 3].hex(): count for n, count in counts.items()}


def svg(data):
    root = ET.fromstring(data)
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == space + "svg"
    width, height = int(root.get("width")), int(root.get("height"))
    assert root.get("viewBox") == f"0 0 {width} {height}"
    ground = root.find(space + "rect")
    assert ground.get("class") == "ground" and int(ground.get("width")) == width
    areas = {}
    for path in root.iter(space + "path"):
        step = r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z"
        assert re.fullmatch(f"({step})+", path.get("d"))
        name = path.get("fill") or path.get("class")
        for x, y, w, h, back in (map(int, found) for found in re.findall(step, path.get("d"))):
            assert w == back and x + w <= width and y + h <= height
            areas[name] = areas.get(name, 0) + w * h
    for text in root.iter(space + "text"):
        assert int(text.get("x")) + int(text.get("textLength")) <= width and text.text.strip()
    return width, height, areas


with open(sys.argv[1], "rb") as file:
    data = file.read()
width, height, colours = png(data) if data[:1] == b"\x89" else svg(data)
assert width <= 2000 and height <= 6000, (width, height)
print(json.dumps({"width": width, "height": height, "colours": colours}))
