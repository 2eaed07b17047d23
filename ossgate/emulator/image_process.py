"""`x-oss-process=image/…`: thumbnails and image facts.

`info` needs nothing; `resize` needs Pillow, which is loaded when it is first asked for.
Source: "Resize images", https://help.aliyun.com/zh/oss/user-guide/resize-images-4
"""

import hashlib
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from ossgate.emulator.errors import NOT_IMPLEMENTED, OssError
from ossgate.emulator.image_info import ImageInfo, read_image_info_from
from ossgate.emulator.object_errors import (
    IMAGE_LIBRARY_MISSING,
    IMAGE_OPERATION_INVALID,
    IMAGE_TOO_LARGE,
    IMAGE_UNSUPPORTED,
)
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.responses import Response

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SOURCE_BYTES = 20 * 1024 * 1024
# Decoded, a picture takes four bytes a pixel: this keeps it near a hundred megabytes.
MAX_SOURCE_PIXELS = 30_000_000
MAX_SIDE = 16_384
_MODES = ("lfit", "mfit", "fill", "pad", "fixed")
_COLOR = re.compile(r"[0-9A-Fa-f]{6}", re.ASCII)
_PILLOW_FORMATS = {
    "jpg": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tiff": "TIFF",
}
_MEDIA_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
}


@dataclass(frozen=True, slots=True)
class Resize:
    """One resize operation.

    Args:
        mode: How width and height are meant.
        sides: Width, height, longer and shorter side, as far as they are given.
        percent: Instead of sides.
        enlarges: Whether the result may be larger than the source.
        color: Fills what `pad` leaves empty.
    """

    mode: str = "lfit"
    width: int = 0
    height: int = 0
    longer: int = 0
    shorter: int = 0
    percent: int = 0
    enlarges: bool = False
    color: str = "FFFFFF"


def process_image(process: str, metadata: ObjectMetadata, file: BinaryIO) -> Response:
    """Answer a GET with `x-oss-process`.

    Raises:
        OssError: The operation is none that is emulated, or the object is no image.
    """
    kind, _, rest = process.partition("/")
    operations = rest.split("/") if rest else []
    if kind != "image" or not operations:
        raise OssError(NOT_IMPLEMENTED)
    if metadata.size > MAX_SOURCE_BYTES:
        raise OssError(IMAGE_TOO_LARGE)
    info = read_image_info_from(file)
    if info is None:
        raise OssError(IMAGE_UNSUPPORTED)
    if operations == ["info"]:
        return _respond_with_info(metadata, info)
    resizes = [_parse_resize(operation) for operation in operations]
    if info.width * info.height > MAX_SOURCE_PIXELS:
        raise OssError(IMAGE_TOO_LARGE)
    if info.format not in _PILLOW_FORMATS:
        raise OssError(NOT_IMPLEMENTED)
    data = _resize_all(file, info, resizes)
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest().upper()
    return Response(200, [("Content-Type", _MEDIA_TYPES[info.format]), ("ETag", f'"{etag}"')], data)


def _respond_with_info(metadata: ObjectMetadata, info: ImageInfo) -> Response:
    facts = {
        "FileSize": metadata.size,
        "Format": info.format,
        "ImageHeight": info.height,
        "ImageWidth": info.width,
    }
    document = {name: {"value": str(value)} for name, value in facts.items()}
    return Response(200, [("Content-Type", "application/json")], json.dumps(document).encode())


def _parse_resize(operation: str) -> Resize:
    name, *arguments = operation.split(",")
    if name != "resize":
        raise OssError(NOT_IMPLEMENTED)
    fields: dict[str, Any] = {}
    for argument in arguments:
        key, _, value = argument.partition("_")
        fields |= _parse_argument(key, value)
    resize = Resize(**fields)
    if not any((resize.width, resize.height, resize.longer, resize.shorter, resize.percent)):
        raise OssError(IMAGE_OPERATION_INVALID)
    return resize


def _parse_argument(key: str, value: str) -> dict[str, Any]:
    sides = {"w": "width", "h": "height", "l": "longer", "s": "shorter"}
    if key in sides and _is_number(value, MAX_SIDE):
        return {sides[key]: int(value)}
    if key == "p" and _is_number(value, 1000):
        return {"percent": int(value)}
    if key == "m" and value in _MODES:
        return {"mode": value}
    if key == "limit" and value in ("0", "1"):
        return {"enlarges": value == "0"}
    if key == "color" and _COLOR.fullmatch(value):
        return {"color": value}
    raise OssError(IMAGE_OPERATION_INVALID, extras=[("ArgumentName", key), ("ArgumentValue", value)])


def _is_number(text: str, highest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= highest


def _resize_all(file: BinaryIO, info: ImageInfo, resizes: list[Resize]) -> bytes:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise OssError(IMAGE_LIBRARY_MISSING) from error
    file.seek(0)
    try:
        with Image.open(file) as source:
            picture: Image.Image = source.copy()
        if picture.mode == "P":
            picture = picture.convert("RGBA")
        for resize in resizes:
            picture = _resize(picture, resize)
        if info.format == "jpg" and picture.mode not in ("RGB", "L", "CMYK"):
            picture = picture.convert("RGB")
        output = io.BytesIO()
        picture.save(output, _PILLOW_FORMATS[info.format])
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        # The library tells a broken picture in all these ways.
        raise OssError(IMAGE_UNSUPPORTED) from error
    return output.getvalue()


def _resize(picture: "Image", resize: Resize) -> "Image":
    width, height = picture.size
    wanted_width, wanted_height = _find_box(resize, width, height)
    if not resize.enlarges and (wanted_width > width or wanted_height > height) and resize.mode != "pad":
        # By default nothing becomes larger than it was.
        if resize.percent or resize.mode in ("lfit", "mfit"):
            return picture
        wanted_width, wanted_height = min(wanted_width, width), min(wanted_height, height)
    if resize.mode == "fill" and not resize.percent:
        scale = max(wanted_width / width, wanted_height / height)
        scaled = _scale(picture, scale)
        left, top = (scaled.width - wanted_width) // 2, (scaled.height - wanted_height) // 2
        return scaled.crop((left, top, left + wanted_width, top + wanted_height))
    if resize.mode == "pad" and not resize.percent:
        return _pad(picture, resize, wanted_width, wanted_height)
    return picture.resize((wanted_width, wanted_height))


def _find_box(resize: Resize, width: int, height: int) -> tuple[int, int]:
    """Tell width and height of the result, or of the box that it fills."""
    if resize.percent:
        return _at_least_one(width * resize.percent / 100, height * resize.percent / 100)
    wanted_width, wanted_height = resize.width, resize.height
    if not wanted_width and not wanted_height:
        wide = width >= height
        longer, shorter = resize.longer, resize.shorter
        wanted_width, wanted_height = (longer, shorter) if wide else (shorter, longer)
    if not wanted_width or not wanted_height:
        # The other side follows.
        scale = wanted_width / width if wanted_width else wanted_height / height
        return wanted_width or _at_least_one(width * scale, 1)[0], wanted_height or _at_least_one(
            1, height * scale
        )[1]
    if resize.mode in ("lfit", "mfit"):
        choose = min if resize.mode == "lfit" else max
        scale = choose(wanted_width / width, wanted_height / height)
        return _at_least_one(width * scale, height * scale)
    return wanted_width, wanted_height


def _pad(picture: "Image", resize: Resize, width: int, height: int) -> "Image":
    from PIL import Image, ImageColor

    scale = min(width / picture.width, height / picture.height)
    inner = _scale(picture, scale if resize.enlarges else min(scale, 1.0)).convert("RGB")
    outer = Image.new("RGB", (width, height), ImageColor.getrgb(f"#{resize.color}"))
    outer.paste(inner, ((width - inner.width) // 2, (height - inner.height) // 2))
    return outer


def _scale(picture: "Image", scale: float) -> "Image":
    return picture.resize(_at_least_one(picture.width * scale, picture.height * scale))


def _at_least_one(width: float, height: float) -> tuple[int, int]:
    return max(1, round(width)), max(1, round(height))
