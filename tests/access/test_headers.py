"""What is read of a request."""

import pytest

from ossgate.access.headers import find_foreign_origin, read_cookie, read_query_token


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("session=a", "a"), ("x=1; session=a; y=2", "a"), ("session=a; session=b", "a"), ('session="a"', "a"),
        (" session = a", ""), ("xsession=a", ""), ("session", ""), ("", ""), (";;=;", ""), ("session=a=b", "a=b"),
    ],
)  # fmt: skip
def test_read_cookie(header, value):
    """The first cookie of the very name counts."""
    assert value == read_cookie({"HTTP_COOKIE": header}, "session")


@pytest.mark.parametrize(
    ("query", "token"),
    [
        ("token=a.b", "a.b"), ("x=1&token=a", "a"), ("token=a&token=b", "a"), ("token=", ""), ("", ""), ("xtoken=a", ""),
        ("token=%61", "a"), ("token=%ff", "\ufffd"), ("&".join(["token=a"] * 65), ""),
    ],
)  # fmt: skip
def test_read_query_token(query, token):
    """The first field of the very name counts; queries of many fields are not read."""
    assert token == read_query_token({"QUERY_STRING": query})


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({}, ""), ({"HTTP_ORIGIN": "https://up.example"}, ""), ({"HTTP_ORIGIN": "https://a.example"}, "https://a.example"),
        ({"HTTP_ORIGIN": "https://a.example", "HTTP_SEC_FETCH_SITE": "same-origin"}, ""),
        ({"HTTP_ORIGIN": "https://a.example", "HTTP_SEC_FETCH_SITE": "same-site"}, "https://a.example"),
        ({"HTTP_ORIGIN": "null"}, "null"),
    ],
)  # fmt: skip
def test_find_foreign_origin(headers, origin):
    """A page of our own is no foreign one, by the browser's word or by its Origin."""
    assert origin == find_foreign_origin({"HTTP_HOST": "up.example"} | headers)
