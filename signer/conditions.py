r"""The conditions of a Post Policy, ready to be written as JSON.

Rules: *PostObject*, https://help.aliyun.com/zh/oss/developer-reference/postobject, and *Signature version 4*,
https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend.

Field names are compared without case, values with case. A dollar sign in a value stands for a variable, so a literal one is
written ``\$``; a backslash begins an escape, and since OSS's reading of the others is not known, values with a backslash are refused.
A field that no condition names is accepted by OSS and takes effect, whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from signer.errors import ConditionError, quote

Condition = dict[str, str] | list[Any]

MAX_FILE_SIZE = 5 * 1024**3
"""OSS accepts no form, no PUT and no part above 5 GB."""


def escape(value: str) -> str:
    """Write a value so that OSS compares it literally.

    Raises:
        ConditionError: The value holds a backslash.
    """
    if "\\" in value:
        raise ConditionError(
            f"a policy value may not hold a backslash: {quote(value)}",
            hint="choose object keys and metadata without backslashes",
        )
    return value.replace("$", "\\$") if "$" in value else value


def exact(field: str, value: str) -> Condition:
    """Demand that a field has one value, in the short map form."""
    return {field: escape(value)}


def eq(field: str, value: str) -> Condition:
    """Demand that a field is present and has one value."""
    return ["eq", "$" + field, escape(value)]


def pin(fields: Mapping[str, str]) -> list[Condition]:
    """Demand that each of several fields is present and has its one value."""
    return [
        ["eq", "$" + name.lower(), escape(value) if "$" in value or "\\" in value else value]
        for name, value in fields.items()
    ]


def starts_with(field: str, prefix: str) -> Condition:
    """Demand that a field begins with a prefix; an empty prefix matches any value."""
    return ["starts-with", "$" + field, escape(prefix)]


def in_(field: str, values: Iterable[str]) -> Condition:
    """Demand that a field has one of several values."""
    return ["in", "$" + field, [escape(value) for value in values]]


def not_in(field: str, values: Iterable[str]) -> Condition:
    """Demand that a field has none of several values."""
    return ["not-in", "$" + field, [escape(value) for value in values]]


def content_length_range(minimum: int, maximum: int) -> Condition:
    """Demand a file size in bytes, both ends included.

    Raises:
        ConditionError: The range is empty or outside what OSS stores in one form.
    """
    if not 0 <= minimum <= maximum <= MAX_FILE_SIZE:
        raise ConditionError(
            f"no file has between {minimum} and {maximum} bytes", hint="0 <= minimum <= maximum <= 5 GB"
        )
    return ["content-length-range", minimum, maximum]
