"""Thumbnails: signed links under which OSS hands out a processed image.

Rules: *Image processing*, https://help.aliyun.com/zh/oss/user-guide/overview-17: ``x-oss-process=image/`` and operations that follow each other, of
sources up to 20 MB in a few formats. ``|sys/saveas`` would store what comes of it, ``info`` and ``average-hue`` answer JSON: neither is a thumbnail.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Protocol

from signer.errors import ConfigurationError, quote

PROCESS_PARAMETER = "x-oss-process"
MAX_THUMBNAILS = 8
MAX_PROCESS_LENGTH = 512
MAX_SOURCE_BYTES = 20 * 1024**2
SOURCE_TYPES = frozenset(
    f"image/{kind}" for kind in ("jpeg", "png", "gif", "bmp", "webp", "tiff", "heic", "heif", "avif")
)
OPERATIONS = frozenset(
    {
        "resize", "watermark", "crop", "quality", "format", "auto-orient", "circle", "indexcrop", "rounded-corners",
        "blur", "rotate", "interlace", "bright", "sharpen", "contrast",
    }
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
# The values of watermarks are URL-safe Base64.
_OPERATION = re.compile(r"(?P<name>[a-z-]+)(,[A-Za-z0-9_=.-]+)*")


class Shown(Protocol):
    """What is asked of an object."""

    @property
    def content_type(self) -> str: ...  # noqa: D102
    @property
    def size(self) -> int | None: ...  # noqa: D102


def check_thumbnails(thumbnails: Mapping[str, str]) -> None:
    """Refuse thumbnails that OSS would not make of any image, or that would do more than show one.

    Args:
        thumbnails: What ``x-oss-process`` says, by the thumbnail's name.

    Raises:
        ConfigurationError: With the fix.
    """
    if len(thumbnails) > MAX_THUMBNAILS:
        raise ConfigurationError(
            f"{len(thumbnails)} thumbnails are more than {MAX_THUMBNAILS}",
            hint="each is a signed link in every upload that is shown",
        )
    for name, process in thumbnails.items():
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{quote(name)} is no name of a thumbnail", hint="use a-z, 0-9 and _, such as small"
            )
        _check_process(name, process)


def can_have_thumbnails(shown: Shown) -> bool:
    """Tell whether OSS can make smaller pictures of an object, as far as type and size tell."""
    return shown.content_type in SOURCE_TYPES and shown.size is not None and shown.size <= MAX_SOURCE_BYTES


def _check_process(name: str, process: str) -> None:
    kind, _, rest = process.partition("/")
    if kind != "image" or not rest:
        raise ConfigurationError(
            f"the thumbnail {name} is not of the form image/…: {quote(process)}",
            hint='write operations of image processing, such as "image/resize,w_200"',
        )
    if len(process) > MAX_PROCESS_LENGTH:
        raise ConfigurationError(
            f"the thumbnail {name} has {len(process)} characters, more than {MAX_PROCESS_LENGTH}",
            hint="leave some operations out",
        )
    if "|" in process:
        raise ConfigurationError(
            f"the thumbnail {name} does more than show an image: {quote(process[process.index('|') :])}",
            hint="leave out | and what follows: sys/saveas would write into the bucket",
        )
    for operation in rest.split("/"):
        found = _OPERATION.fullmatch(operation)
        if found is None:
            raise ConfigurationError(
                f"the thumbnail {name} has an operation that is none: {quote(operation)}",
                hint='an operation is its name and its values, as in "resize,m_fill,w_200,h_200"',
            )
        if found["name"] not in OPERATIONS:
            near = difflib.get_close_matches(found["name"], OPERATIONS, n=1)
            raise ConfigurationError(
                f"the thumbnail {name} has an operation {quote(found['name'])} that makes no image",
                hint=f"did you mean {near[0]}?" if near else "known are " + ", ".join(sorted(OPERATIONS)),
            )
