"""Width, height and format of an image, for `${imageInfo.…}`.

OSS looks at the bytes, not at the Content-Type; it knows JPG, PNG, BMP, GIF, WebP, TIFF and HEIC. Source: the pages of
EC 0007-00000302 and 303, https://help.aliyun.com/zh/oss/user-guide/0007-00000302
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import imagesize

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Pixels as stored, before any rotation that the file asks for."""

    width: int
    height: int
    format: str


def read_image_info(path: Path) -> ImageInfo | None:
    """Look into a file; None when it is no image that OSS knows."""
    with path.open("rb") as file:
        return read_image_info_from(file)


def read_image_info_from(file: BinaryIO) -> ImageInfo | None:
    """Look into an open file; None when it is no image that OSS knows."""
    head = file.read(32)
    image_format = _detect_format(head)
    if image_format is None:
        return None
    width, height = _read_size(file, head, image_format)
    return ImageInfo(width, height, image_format) if width > 0 and height > 0 else None


def _detect_format(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(b"BM"):
        return "bmp"
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return "tiff"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return "heic"
    return None


def _read_size(file: BinaryIO, head: bytes, image_format: str) -> tuple[int, int]:
    # Two formats that the library reads with the wrong width of integer: a GIF's sides are unsigned,
    # and the upper two bits of a lossy WebP's sides are a scale.
    if image_format == "gif" and len(head) >= 10:
        return struct.unpack("<HH", head[6:10])
    if image_format == "webp" and head[12:16] == b"VP8 " and len(head) >= 30:
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    file.seek(0)
    width, height = imagesize.get(file, exif_rotation=False)
    return int(width), int(height)
