"""Thumbnails and image facts by `x-oss-process`."""

import io
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ossgate.emulator.errors import OssError
from ossgate.emulator.image_process import process_image
from ossgate.emulator.object_metadata import ObjectMetadata


def draw(width: int = 400, height: int = 200, image_format: str = "PNG", mode: str = "RGB") -> bytes:
    output = io.BytesIO()
    Image.new(mode, (width, height), 0).save(output, image_format)
    return output.getvalue()


def process(client: Any, operation: str, data: bytes | None = None) -> Any:
    client.put("a.png", draw() if data is None else data)
    return client.get("a.png", **{"x-oss-process": operation})


def measure(answer: Any) -> tuple[int, int]:
    with Image.open(io.BytesIO(answer.body)) as picture:
        return picture.size


def test_info(client: Any) -> None:
    """The facts come as JSON, each in a `value`, numbers as text."""
    data = draw()
    answer = process(client, "image/info", data)

    assert (200, "application/json") == (answer.status, answer.headers["Content-Type"])
    assert {
        "FileSize": {"value": str(len(data))},
        "Format": {"value": "png"},
        "ImageHeight": {"value": "200"},
        "ImageWidth": {"value": "400"},
    } == answer.json


@pytest.mark.parametrize(
    ("operation", "size"),
    [
        ("resize,w_100", (100, 50)),
        ("resize,h_100", (200, 100)),
        ("resize,l_100", (100, 50)),
        ("resize,s_100", (200, 100)),
        ("resize,p_50", (200, 100)),
        ("resize,w_100,h_100", (100, 50)),
        ("resize,m_lfit,w_100,h_10", (20, 10)),
        ("resize,m_mfit,w_100,h_100", (200, 100)),
        ("resize,m_fill,w_100,h_100", (100, 100)),
        ("resize,m_pad,w_100,h_100", (100, 100)),
        ("resize,m_fixed,w_100,h_100", (100, 100)),
        ("resize,w_800", (400, 200)),
        ("resize,w_800,limit_0", (800, 400)),
        ("resize,m_fixed,w_800,h_100", (400, 100)),
        ("resize,m_fixed,w_800,h_100,limit_0", (800, 100)),
        ("resize,m_fill,w_800,h_100,limit_0", (800, 100)),
        ("resize,p_200,limit_0", (800, 400)),
        ("resize,p_200", (400, 200)),
        ("resize,w_1,h_1", (1, 1)),
        ("resize,w_200/resize,w_50", (50, 25)),
    ],
)
def test_resize(client: Any, operation: str, size: tuple[int, int]) -> None:
    """Each mode makes the size that the documentation says."""
    answer = process(client, f"image/{operation}")

    assert (200, "image/png", size) == (answer.status, answer.headers["Content-Type"], measure(answer))
    assert answer.headers["x-oss-hash-crc64ecma"] is None


def test_padding_has_its_color(client: Any) -> None:
    """What `pad` leaves empty is filled."""
    answer = process(client, "image/resize,m_pad,w_100,h_100,color_FF0000")
    with Image.open(io.BytesIO(answer.body)) as picture:
        assert ((255, 0, 0), (0, 0, 0)) == (picture.getpixel((50, 5)), picture.getpixel((50, 50)))


@pytest.mark.parametrize(
    ("image_format", "mode", "media_type"),
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("GIF", "P", "image/gif"),
        ("WEBP", "RGBA", "image/webp"),
        ("BMP", "RGB", "image/bmp"),
        ("TIFF", "L", "image/tiff"),
    ],
)
def test_formats(client: Any, image_format: str, mode: str, media_type: str) -> None:
    """A thumbnail has the format of its source."""
    answer = process(client, "image/resize,w_100", draw(image_format=image_format, mode=mode))

    assert (200, media_type, (100, 50)) == (answer.status, answer.headers["Content-Type"], measure(answer))


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ("image/resize", 400, "InvalidArgument"),
        ("image/resize,w_0", 400, "InvalidArgument"),
        ("image/resize,w_99999", 400, "InvalidArgument"),
        ("image/resize,w_x", 400, "InvalidArgument"),
        ("image/resize,m_other,w_1", 400, "InvalidArgument"),
        ("image/resize,w_1,limit_2", 400, "InvalidArgument"),
        ("image/resize,w_1,color_red", 400, "InvalidArgument"),
        ("image/resize,x_1", 400, "InvalidArgument"),
        ("image/blur,r_3,s_2", 501, "NotImplemented"),
        ("image/", 501, "NotImplemented"),
        ("style/thumb", 501, "NotImplemented"),
        ("video/snapshot,t_1", 501, "NotImplemented"),
    ],
)
def test_refused(client: Any, operation: str, status: int, code: str) -> None:
    """What is wrong is told, and what is not emulated too."""
    assert (status, code) == process(client, operation).error[:2]


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + b"x" * 50, draw()[:60]])
def test_no_image(client: Any, data: bytes) -> None:
    """What is no image, or a broken one, cannot be made smaller."""
    answer = process(client, "image/resize,w_100", data)

    assert (400, "BadRequest", "This image format is not supported.", "") == answer.error


def test_too_many_pixels(client: Any) -> None:
    """A small file of very many pixels is not decoded."""
    answer = process(client, "image/resize,w_100", draw(6000, 6000, mode="1"))

    assert (400, "BadRequest", "The source image is too large.", "") == answer.error


def test_without_the_library(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Pillow is not installed the answer says so; facts can still be told."""
    data = draw()
    monkeypatch.setitem(sys.modules, "PIL", None)
    refused = process(client, "image/resize,w_100", data)
    message = "Resizing images needs Pillow: pip install 'ossgate[images]'."

    assert (501, "NotImplemented", message, "") == refused.error
    assert 200 == process(client, "image/info", data).status


def test_public_object(client: Any) -> None:
    """A public object may be asked for by anybody."""
    client.put("a.png", draw(), x_oss_object_acl="public-read")
    answer = client.request("GET", "/test-bucket/a.png?x-oss-process=image/resize,w_40")

    assert (40, 20) == measure(answer)


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF____WEBP", b"BM", b"II*\x00"]),
    st.binary(max_size=200),
    st.sampled_from(["image/info", "image/resize,w_10", "image/resize,m_pad,w_9,h_9"]),
)
def test_garbage_ends_in_our_errors(magic: bytes, rest: bytes, operation: str) -> None:
    """Whatever bytes come, they are an image or refused."""
    data = magic + rest
    metadata = ObjectMetadata("b", "k", len(data), "", "", "0", "", 0.0)
    try:
        status = process_image(operation, metadata, io.BytesIO(data)).status
    except OssError as error:
        status = error.kind.status

    assert status in (200, 400)
