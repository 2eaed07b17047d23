"""Sizes of real images."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ossgate.emulator.image_info import ImageInfo, read_image_info


def make_image(kind: str, size: tuple[int, int], **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "options", "name"),
    [
        ("JPEG", {}, "jpg"),
        ("JPEG", {"progressive": True}, "jpg"),
        ("PNG", {}, "png"),
        ("GIF", {}, "gif"),
        ("WEBP", {}, "webp"),
        ("WEBP", {"lossless": True}, "webp"),
        ("BMP", {}, "bmp"),
        ("TIFF", {}, "tiff"),
    ],
)
def test_formats(tmp_path: Path, kind: str, options: dict[str, Any], name: str) -> None:
    """Each format that OSS knows is measured by its bytes."""
    path = tmp_path / "image"
    path.write_bytes(make_image(kind, (123, 45), **options))

    assert ImageInfo(123, 45, name) == read_image_info(path)


def test_large_gif(tmp_path: Path) -> None:
    """A GIF's sides are unsigned."""
    path = tmp_path / "image"
    path.write_bytes(make_image("GIF", (40_000, 1)))

    assert ImageInfo(40_000, 1, "gif") == read_image_info(path)


NO_IMAGES = [
    b"",
    b"hello",
    b"\xff\xd8\xff",
    b"\xff\xd8\xff\xe0" + b"x" * 27,
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
]


@pytest.mark.parametrize(
    "data", [*NO_IMAGES, b"RIFF\0\0\0\0WEBPVP8 ", b"II*\0", b"\0\0\0\x18ftypheic", b"<svg/>"]
)
def test_no_image(tmp_path: Path, data: bytes) -> None:
    """What cannot be measured is no image, and no failure."""
    path = tmp_path / "image"
    path.write_bytes(data)

    assert read_image_info(path) is None


def test_callback_tells_the_size(client: Any, receiver: Any, callback: Callable[..., str]) -> None:
    """The callback tells real pixels, whatever the Content-Type says."""
    body = '{"w":${imageInfo.width},"h":${imageInfo.height},"f":${imageInfo.format},"s":"${imageInfo.width}"}'
    fields = client.make_fields(callback=callback(receiver.url, body, callbackBodyType="application/json"))
    client.post(fields, make_image("PNG", (12, 34)), content_type="application/octet-stream")
    client.post(fields, b"no image")

    assert b'{"w":12,"h":34,"f":"png","s":"12"}' == receiver.received[0].body
    assert b'{"w":null,"h":null,"f":null,"s":"null"}' == receiver.received[1].body
