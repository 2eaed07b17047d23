"""Whatever is asked, the answer is one of OSS's, never an internal error."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossgate.emulator import Emulator, EmulatorOptions
from ossgate.emulator.operations import _OPERATIONS, SUB_RESOURCES

NAMES = [
    *sorted(SUB_RESOURCES),
    "prefix",
    "marker",
    "max-keys",
    "delimiter",
    "continuation-token",
    "start-after",
    "encoding-type",
    "max-parts",
    "part-number-marker",
    "max-uploads",
    "key-marker",
    "response-content-type",
    "callback",
    "callback-var",
]
HEADERS = [
    "Content-Type",
    "Content-MD5",
    "Range",
    "If-Match",
    "If-Modified-Since",
    "x-oss-copy-source",
    "x-oss-copy-source-range",
    "x-oss-metadata-directive",
    "x-oss-object-acl",
    "x-oss-acl",
    "x-oss-storage-class",
    "x-oss-tagging",
    "x-oss-callback",
    "x-oss-callback-var",
    "x-oss-complete-all",
    "x-oss-forbid-overwrite",
    "x-oss-meta-a",
    "x-oss-range-behavior",
    "Origin",
    "Access-Control-Request-Method",
]
VALUES = [
    "",
    "0",
    "1",
    "2",
    "-1",
    "10001",
    "9" * 40,
    "true",
    "yes",
    "url",
    "null",
    "bytes=0-0",
    "/test-bucket/a",
    "/test-bucket/%FF",
    "private",
    "REPLACE",
    "image/resize,w_10",
    "image/info",
    "1B2M2Y8AsgTpgAmY7PhCfg==",
    "eyJjYWxsYmFja1VybCI6ImEifQ==",
    "a=1&b",
    "\xff",
    "<",
]
BODIES = [
    b"",
    b"x",
    b"<",
    b"\xff\xfe<\x00",
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
    b"<Delete><Object><Key>a</Key></Object></Delete>",
    b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
    b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    b"</CORSRule></CORSConfiguration>",
    b"<OverwriteConfiguration><Rule><Action>forbid</Action></Rule></OverwriteConfiguration>",
    b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    b"<CreateBucketConfiguration/>",
    b'<?xml version="1.0" encoding="nonsense"?><Delete/>',
]
odd_text = st.text(st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"]), max_size=12)
# Level, method and sub-resources of everything that is emulated, and of what is not.
OPERATIONS = [
    (level, method, asked.split()) for (level, method), table in _OPERATIONS.items() for asked in table
]
OPERATIONS += [
    ("object", "PATCH", []),
    ("bucket", "HEAD", []),
    ("service", "POST", []),
    ("object", "OPTIONS", []),
]
values = st.sampled_from(VALUES) | odd_text
header_values = st.sampled_from(VALUES) | st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12
)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory, callback_key_pem: str) -> Iterator[Emulator]:
    """One for all examples."""
    folder: Path = tmp_path_factory.mktemp("garbage")
    options = EmulatorOptions(
        data_dir=folder,
        bucket="test-bucket",
        access_key_id="test-key-id",
        access_key_secret="test-key-secret",
        callback_private_key=callback_key_pem,
    )
    with Emulator(options) as running:
        yield running


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(OPERATIONS),
    st.sampled_from(["a", "a/b", "/"]) | odd_text,
    st.dictionaries(st.sampled_from(NAMES) | odd_text.filter(bool), values, max_size=2),
    st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=3),
    st.sampled_from(BODIES) | st.binary(max_size=50),
    st.data(),
)
def test_signed_nonsense(
    client: Any,
    emulator: Emulator,
    asked: tuple[str, str, list[str]],
    key: str,
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
    data: st.DataObject,
) -> None:
    """A signed request of any kind is answered, refused, or told to be not emulated."""
    level, method, names = asked
    bucket, key = "" if level == "service" else "test-bucket", key if level == "object" else ""
    client = replace(client, emulator=emulator, bucket=bucket)
    query = {**query, **{name: data.draw(values, name) for name in names}}
    signed = client.make_headers_v4(method, key, query=query) | headers
    named = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in query.items())
    target = f"/{bucket}/{quote(key, safe='/')}" if bucket else "/"
    unsigned = {name: value for name, value in signed.items() if name != "Authorization"}
    for sent in (signed, unsigned, sign_all(client, method, key, query, headers)):
        answer = client.request(method, target + (f"?{named}" if named else ""), body=body, headers=sent)

        assert answer.status in {*range(200, 500), 501}, answer.body
        assert answer.headers["x-oss-request-id"]


def sign_all(
    client: Any, method: str, key: str, query: dict[str, str], headers: dict[str, str]
) -> dict[str, str]:
    ascii_only = {name: value for name, value in headers.items() if value.isascii()}
    signed: dict[str, str] = client.make_headers_v4(method, key, query=query, headers=ascii_only)
    return signed
