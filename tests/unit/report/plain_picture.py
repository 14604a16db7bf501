"""A picture whose bytes never change."""

from __future__ import annotations

import struct
import zlib


def picture(shade: int) -> bytes:
    """A 32 x 32 PNG of a disc, stored without compression so that its bytes never change."""
    rows = []
    for y in range(32):
        inside = [(x - 16) ** 2 + (y - 15) ** 2 < 90 for x in range(32)]
        pixels = [(230, 120 + shade, 90) if i else (70 + shade, 84, 96 + y) for i in inside]
        rows.append(b"\0" + bytes(value for pixel in pixels for value in pixel))
    header = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
    body = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in body)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + checksum
