"""The two bitmaps of a dump that makedumpfile wrote, read by the description of its format (IMPLEMENTATION in its
sources): block 0 is the header, then the sub-header, then both bitmaps."""
import struct


def bitmaps(name):
    """(pages that the memory has, pages that are in the dump): a byte of 0 or 1 for each page number."""
    with open(name, "rb") as file:
        header = file.read(512)
        assert header[:8] == b"KDUMP   ", name
        block, sub, blocks, pages = struct.unpack_from("<IIII", header, 428)
        file.seek((1 + sub) * block)
        both = file.read(blocks * block)
    half = len(both) // 2
    return tuple(
        bytes(part[number >> 3] >> (number & 7) & 1 for number in range(pages)) for part in (both[:half], both[half:])
    )
