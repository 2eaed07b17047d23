"""Filling in the callback's body."""

from collections.abc import Callable
from typing import Any

import pytest

from ossgate.emulator.callback_template import fill_template

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def test_vectors(vectors: Callable[[str], Any]) -> None:
    """Documented and captured bodies come out byte for byte."""
    for case in vectors("callback-body.json")["cases"]:
        filled = fill_template(case["template"], case["body_type"], case["vars"])

        assert case["body"].encode() == filled, case["name"]


@pytest.mark.parametrize(
    ("template", "kind", "expected"),
    [
        ("${object}", FORM, b"a%20b%2Bc~%2A%22%E5%9B%BE"),
        ("${object}", JSON, '"a b+c~*\\"图"'.encode()),
        ("${size}|${nosuch}|${x:none}", FORM, b"5||"),
        ("[${size},${nosuch},${x:none}]", JSON, b'[5,"",""]'),
        ("${imageInfo.width}", FORM, b""),
        ("${imageInfo.width}", JSON, b"null"),
        ("${object", FORM, b"${object"),
        ("{}${}", FORM, b"{}"),
        ("${Size}", FORM, b""),
    ],
)
def test_edges(template: str, kind: str, expected: bytes) -> None:
    """Quoting, unknown names, what is not known of the object."""
    variables = {"object": 'a b+c~*"图', "size": 5, "imageInfo.width": None}

    assert expected == fill_template(template, kind, variables)


def test_value_is_not_filled_in_again() -> None:
    """A value that looks like a placeholder stays as it is."""
    assert b"%24%7Bsize%7D" == fill_template("${object}", FORM, {"object": "${size}", "size": 1})
