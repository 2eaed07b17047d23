"""Buckets and their URLs."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import ConfigurationError
from signer.places import BucketPlace, build_bucket_url, define_place, is_local_host

INTERNAL = "https://oss-cn-hangzhou-internal.aliyuncs.com"


@pytest.mark.parametrize(
    ("endpoint", "host", "place_host", "place_internal"),
    [
        ("", "", "https://bkt.oss-cn-hangzhou.aliyuncs.com", "https://bkt.oss-cn-hangzhou.aliyuncs.com"),
        (
            INTERNAL,
            "",
            "https://bkt.oss-cn-hangzhou.aliyuncs.com",
            "https://bkt.oss-cn-hangzhou-internal.aliyuncs.com",
        ),
        (
            INTERNAL + "/",
            "https://upload.example.com/",
            "https://upload.example.com",
            "https://bkt.oss-cn-hangzhou-internal.aliyuncs.com",
        ),
        ("oss-cn-hangzhou.aliyuncs.com", "upload.example.com", "https://upload.example.com", None),
        ("http://127.0.0.1:9000", "", "http://127.0.0.1:9000/bkt", "http://127.0.0.1:9000/bkt"),
        ("http://localhost:9000/", "", "http://localhost:9000/bkt", "http://localhost:9000/bkt"),
        ("http://[::1]:9000", "", "http://[::1]:9000/bkt", "http://[::1]:9000/bkt"),
        ("HTTP://127.0.0.1:9000", "", "http://127.0.0.1:9000/bkt", "http://127.0.0.1:9000/bkt"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/bkt", "http://127.0.0.1:9000/bkt", None),
        ("http://oss.internal:8080", "", "http://bkt.oss.internal:8080", "http://bkt.oss.internal:8080"),
    ],
)
def test_bucket_is_in_the_host_or_in_the_path(
    endpoint: str, host: str, place_host: str, place_internal: str | None
) -> None:
    """The bucket is the first label of a name and the first segment under an address; clients are never sent inside."""
    place = define_place("bkt", "cn-hangzhou", endpoint=endpoint, host=host)

    assert place.host == place_host
    assert place.internal == (place_internal or place.internal)


@pytest.mark.parametrize("region", ["cn-hangzhou", "oss-cn-hangzhou"])
def test_region_is_written_with_or_without_its_prefix(region: str) -> None:
    """V4 signs the region without `oss-`."""
    assert define_place("bkt", region).region == "cn-hangzhou"


@pytest.mark.parametrize(
    "bucket",
    [
        "",
        "ab",
        "a" * 64,
        "Bucket",
        "my_bucket",
        "-bucket",
        "bucket-",
        "a.b.c",
        "桶桶桶",
        "abc\n",
        "a/b",
        "a b",
    ],
)
def test_bad_bucket_name_is_refused(bucket: str) -> None:
    """3 to 63 of a-z, 0-9 and -, no - at either end."""
    with pytest.raises(ConfigurationError, match="no bucket name"):
        define_place(bucket, "cn-hangzhou")


@pytest.mark.parametrize(
    "region", ["", "hangzhou", "CN-hangzhou", "cn-hangzhou/oss", "cn_hangzhou", "cn-", "oss-", "cn-a\n"]
)
def test_bad_region_is_refused(region: str) -> None:
    """A region is what stands in a scope, so it has no slash and no capitals."""
    with pytest.raises(ConfigurationError, match="no region"):
        define_place("bkt", region)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example.com",
        "https://",
        "https:///a",
        "https://a.example.com:0",
        "https://a.example.com:65536",
        "https://a.example.com:x",
        "https://user@a.example.com",
        "https://user:pass@a.example.com",
        "https://a.example.com?x=1",
        "https://a.example.com?",
        "https://a.example.com#x",
        "https://a.example.com#",
        "https://桶.example.com",
        "https://a b.example.com",
        "https://a.example.com;script-src",
        "https://a.example.com'",
        "https://a.example.com\r\nX: 1",
        "https://a.example.com\t",
        "https://*.example.com",
        "https://a.example.com/a b",
        "https://a.example.com/%2e",
        "https://[::1",
        "javascript://a.example.com",
        "//a.example.com",
    ],
)
def test_bad_url_is_refused(url: str) -> None:
    """Neither clients nor we can use it, or a page that names it in its security policy would say something else."""
    for setting in ("endpoint", "host"):
        with pytest.raises(ConfigurationError) as refusal:
            define_place("bkt", "cn-hangzhou", **{setting: url})
        assert refusal.value.hint


def test_endpoint_with_a_path_is_refused() -> None:
    """The bucket stands in front of the endpoint's name, so a path would be lost without a word."""
    with pytest.raises(ConfigurationError, match="has a path"):
        define_place("bkt", "cn-hangzhou", endpoint="https://oss-cn-hangzhou.aliyuncs.com/bkt")


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("oss-cn-hangzhou.aliyuncs.com", False),
        ("127.0.0.1.nip.io", False),
        ("", False),
    ],
)
def test_addresses_and_localhost_are_local(host: str, local: bool) -> None:
    """These have no subdomain for a bucket."""
    assert is_local_host(host) is local


def test_bucket_url_keeps_scheme_and_port() -> None:
    """Under a name the bucket becomes the first label."""
    assert build_bucket_url("http://oss.example.com:8080", "bkt") == "http://bkt.oss.example.com:8080"


@given(url=st.text() | st.text().map(lambda text: f"https://{text}.example.com"))
def test_any_host_is_plain_or_refused(url: str) -> None:
    """Generated hosts only end in our error, or in a URL of plain characters without a slash at its end."""
    try:
        place = define_place("bkt", "cn-hangzhou", host=url)
    except ConfigurationError:
        return
    assert isinstance(place, BucketPlace)
    assert place.host.isascii()
    assert not set(place.host) & set(" ;'\"\\<>@?#\r\n\t*")
    assert not place.host.endswith("/")
    assert urlsplit(place.host).scheme in ("http", "https")


def test_object_url_is_the_hosts_and_percent_encoded():
    """An object's address for clients: slashes stay, all else that URLs give a meaning is encoded."""
    place = define_place("examplebucket", "cn-hangzhou", host="https://upload.example.com")

    assert "https://upload.example.com/a/%E5%9B%BE%20b%2Bc.png" == place.build_object_url("a/图 b+c.png")
