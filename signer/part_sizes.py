"""How a file is cut into parts.

Rules: *Multipart upload*, https://help.aliyun.com/zh/oss/user-guide/multipart-upload: at most 10,000 parts of 100 KB to 5 GB, the last one as
small as it is.
"""

from __future__ import annotations

from signer.conditions import MAX_FILE_SIZE
from signer.errors import PartNumberInvalid, PartSizeInvalid, TooManyParts, quote
from signer.profiles import MAX_PARTS
from signer.sizes import format_size

MEBIBYTE = 1024**2
MIN_PART_SIZE = 100 * 1024
SMALLEST_CHOICE = 2 * MEBIBYTE
"""What a client loses by a pause is the parts on their way, and small files should not be mostly those."""
USUAL_CHOICE = 8 * MEBIBYTE
PARTS_OF_SMALL_FILES = 64
LARGEST_COMFORTABLE = 64 * MEBIBYTE
"""Up to here parts grow early, so that they stay few; beyond, only as OSS demands, since a part that fails is sent again whole."""
COMFORTABLE_PARTS = 1000
MAX_AT_ONCE = 100
CLIENT_SIZED = 0
"""Stands for the part size of an upload whose client cuts its file as it likes and tells neither size."""


def choose_part_size(size: int) -> int:
    """Return the size of all parts but the last: 2 MiB, doubled until a file has few enough of them."""
    part_size = SMALLEST_CHOICE
    while part_size < USUAL_CHOICE and size > part_size * PARTS_OF_SMALL_FILES:
        part_size *= 2
    while part_size < LARGEST_COMFORTABLE and size > part_size * COMFORTABLE_PARTS:
        part_size *= 2
    while size > part_size * MAX_PARTS:
        # 8 GiB would be the next power of two; OSS takes no part above 5.
        part_size = min(part_size * 2, MAX_FILE_SIZE)
    return part_size


def check_part_size(part_size: int, size: int) -> int:
    """Return a part size that a client chose, once OSS takes it for a file of this size.

    Raises:
        PartSizeInvalid: Answered with 422.
    """
    if not MIN_PART_SIZE <= part_size <= MAX_FILE_SIZE:
        raise PartSizeInvalid(
            f"a part cannot have {quote(part_size)} bytes", hint="100 KB (102400) to 5 GB, or leave it out"
        )
    if count_parts(size, part_size) > MAX_PARTS:
        raise PartSizeInvalid(
            f"parts of {format_size(part_size)} would be more than {MAX_PARTS}",
            hint=f"choose at least {-(-size // MAX_PARTS)} bytes, or leave it out",
        )
    return part_size


def count_parts(size: int, part_size: int) -> int:
    """Return how many parts a file has; an empty one has one, one that the client cuts as it likes up to 10,000."""
    if part_size == CLIENT_SIZED:
        return MAX_PARTS
    return max(1, -(-size // part_size))


def measure_part(size: int, part_size: int, part_number: int) -> int:
    """Return how many bytes a part has: the part size, the last one what is left."""
    return min(part_size, size - (part_number - 1) * part_size)


def check_part_numbers(numbers: list[object], part_count: int) -> list[int]:
    """Return part numbers once the upload has them all.

    Raises:
        TooManyParts: None, or more than are signed at once; answered with 422.
        PartNumberInvalid: No number, or one that this upload does not have; answered with 422.
    """
    if not 1 <= len(numbers) <= MAX_AT_ONCE:
        raise TooManyParts(
            f"{len(numbers)} part numbers at once",
            hint=f"ask for 1 to {MAX_AT_ONCE} of them, just before they are sent",
        )
    checked = []
    for number in numbers:
        if type(number) is not int or not 1 <= number <= part_count:
            raise PartNumberInvalid(
                f"{quote(number)} is no part of this upload",
                hint=f"its parts are numbered from 1 to {part_count}",
            )
        checked.append(number)
    return checked
