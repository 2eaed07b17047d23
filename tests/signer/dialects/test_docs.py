"""docs/dialects.md says what is signed: its tables are derived from the contracts, and from what the core signs for their wishes.

After a change `OSSGATE_WRITE_DOCS=1 make test ARGS=tests/signer/dialects/test_docs.py` writes them anew.
"""

import json
import os
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from signer.dialects.contract import DialectRequest
from signer.dialects.prefix_form import sign_prefix_form
from signer.dialects.prefix_requests import sign_bare_put, sign_one_request
from signer.dialects.registry import DIALECTS
from signer.dialects.wishes import (
    BarePut,
    BeginParts,
    FormUnderPrefix,
    OneFile,
    SignOneRequest,
    TemporaryCredentials,
)
from signer.facts import Facts
from signer.grants import GrantRequest
from signer.object_headers import build_object_headers
from signer.presign import UrlSigner
from signer.seal import METADATA_NAME
from signer.session_policy import build_session_policy

DOCS = Path(__file__).resolve().parents[3] / "docs" / "dialects.md"
LOCKS = ("key", "size", "type", "overwrite", "callback", "ACL", "seal")
# One row each: contract, what is done in it, its route, and a request as its client sends it.
ROWS = [
    ("appserver_v1", "", 0, {}),
    ("appserver_v1_named", "", 0, {}),
    ("appserver_v4", "", 0, {}),
    ("appserver_v4", "by temporary credentials", 0, {}),
    ("mall", "", 0, {}),
    ("gulimall", "", 0, {}),
    ("mini_program", "", 0, {}),
    ("form_data", "", 0, {}),
    ("presign", "a form", 0, {"query": {"filename": "a.png"}}),
    ("presign", "a form, size told", 0, {"query": {"filename": "a.png", "size": "7"}}),
    ("presign", "`via=put`", 0, {"query": {"filename": "a.png", "size": "7", "via": "put"}}),
    ("form", "", 0, {"query": {"filename": "a.png"}}),
    ("companion", "a form", 0, {"query": {"filename": "a.png"}}),
    ("companion", "parts", 1, {"body": b'{"filename":"a.png","type":"image/png"}'}),
    ("put_text", "the bare URL", 0, {}),
    ("put_text", "the bare URL, size told", 0, {"query": {"size": "7"}}),
    (
        "put_text",
        "JSON, size and name told",
        0,
        {"query": {"filename": "a.png", "size": "7"}, "accept": "application/json"},
    ),
    ("uppy_sign", "PUT", 0, {"body": b'{"method":"PUT","key":"a.png","contentType":"image/png"}'}),
    ("uppy_sign", "parts", 0, {"body": b'{"method":"POST","key":"a.png","contentType":"image/png"}'}),
    ("sts_web", "", 0, {}),
    ("sts_mobile", "", 0, {}),
    ("credentials_uri", "", 0, {}),
    ("ali_oss", "", 0, {}),
    ("mini_program_token", "", 0, {}),
]
KINDS = {
    FormUnderPrefix: "a form below a `dir`",
    OneFile: "one exact file",
    BarePut: "one PUT",
    SignOneRequest: "one request at a time below a `dir`",
    TemporaryCredentials: "credentials below a `dir`",
}


def read_form_locks(fields, prefix):
    """Read the locks of a form from its policy."""
    conditions = json.loads(b64decode(fields["policy"]))["conditions"]
    pinned, low, high, key = {}, 0, 0, ""
    for condition in conditions:
        if isinstance(condition, dict):
            continue
        kind, name, *values = condition
        if kind == "content-length-range":
            low, high = name, values[0]
        elif name == "$key":
            key = "prefix" if (kind, values[0]) == ("starts-with", prefix) else "one"
        else:
            pinned[name.lower()] = values[0]
    return {
        "key": key,
        "size": "exact" if low == high else "range",
        "type": "bucket" if {"$content-type", "$x-oss-content-type"} & set(pinned) else "arrival",
        "overwrite": "refused" if pinned.get("$x-oss-forbid-overwrite") == "true" else "possible",
        "callback": "bound" if "$callback" in pinned else "none",
        "ACL": "pinned" if "$x-oss-object-acl" in pinned else "open",
        "seal": "yes" if "$" + METADATA_NAME in pinned else "no",
    }


def read_url_locks(url, headers, key):
    """Read the locks of a presigned request: every ``x-oss-*`` header that is sent takes part in the signature, signed or not."""
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    names = {name.lower() for name in headers}
    lengths = query.get("x-oss-additional-headers", [""])[0].split(";")
    return {
        "key": key,
        "size": "exact" if "content-length" in lengths else "arrival",
        "type": "bucket" if "content-type" in names else "arrival",
        "overwrite": "refused" if "x-oss-forbid-overwrite" in names else "possible",
        "callback": "bound" if "callback" in query or "x-oss-callback" in names else "none",
        "ACL": "pinned",
        "seal": "yes" if METADATA_NAME in names else "no",
    }


def read_session_locks(prefix):
    """Read the locks of temporary credentials from their session policy: no condition of one names a size, a type or a callback."""
    (statement,) = json.loads(build_session_policy("examplebucket", prefix, is_prefix=True, secure=True))[
        "Statement"
    ]
    (resource,) = statement["Resource"]
    assert {"Bool": {"acs:SecureTransport": "true"}} == statement["Condition"]
    return {
        "key": "prefix" if resource.endswith(f"/{prefix}*") else "one",
        "size": "arrival",
        "type": "arrival",
        "overwrite": "possible",
        "callback": "client",
        "ACL": "open" if "oss:PutObjectAcl" in statement["Action"] else "pinned",
        "seal": "no",
    }


@pytest.fixture
def read_locks(make_profile, make_credentials, make_issuer, now):
    """Have a wish signed by the core, and read its locks from what comes out."""
    profile = make_profile(content_types=("image/png", "image/jpeg"))
    credentials = make_credentials()
    signer = UrlSigner(profile.place, "v4", credentials, now)
    common = {"signer": signer, "expires": 300, "callback_param": "Y2I=", "content_type": "image/png"}

    def read(wish):
        prefix = "photos/G.M/"
        if isinstance(wish, FormUnderPrefix):
            form = sign_prefix_form(
                profile, wish, prefix=prefix, callback_param="Y2I=", credentials=credentials, now=now,
                expires_at=now + timedelta(minutes=5),
            )  # fmt: skip
            return read_form_locks(form.fields, prefix)
        if isinstance(wish, OneFile):
            request = GrantRequest(wish.filename, wish.size, wish.content_type)
            issuer = make_issuer()
            if wish.via == "put":
                put = issuer.issue_put(profile, request, issuer="anonymous", subject="a", now=now)
                return read_url_locks(put.url, put.headers, "one")
            grant = issuer.issue_grant(profile, request, issuer="anonymous", subject="a", now=now)
            return read_form_locks(grant.fields, prefix)
        if isinstance(wish, BeginParts):
            facts, headers, _ = make_issuer().plan_multipart(
                profile,
                GrantRequest(wish.filename, None, wish.content_type, open_size=True),
                issuer="anonymous", subject="a", now=now,
            )  # fmt: skip
            assert isinstance(facts, Facts)
            assert facts.size_min < facts.size_max
            assert headers.keys() == build_object_headers(profile, facts, "seal").keys()
            # We begin the upload with these headers and complete it ourselves.
            return read_url_locks("https://x", headers, "one") | {"size": "completion", "callback": "ours"}
        if isinstance(wish, BarePut):
            handed = sign_bare_put(wish, object_key=prefix + "a.png", **common)
            return read_url_locks(handed.url, {"Content-Type": "image/png"}, "one")
        if isinstance(wish, SignOneRequest):
            handed = sign_one_request(wish, object_key=prefix + "a.png", **common)
            return read_url_locks(handed.url, {"Content-Type": "image/png"}, "prefix")
        assert isinstance(wish, TemporaryCredentials)
        return read_session_locks("photos/G.M/")

    return read


def read_wish(name, route, request):
    dialect = DIALECTS[name]
    options = replace(dialect.defaults, variant=dialect.variants[0])
    return dialect.routes[route].read(DialectRequest(**request), options)


def render_contracts():
    lines = [
        "| contract | usual paths | hands out | variants | options | |",
        "|---|---|---|---|---|---|",
    ]
    first = {name: (route, request) for name, _, route, request in reversed(ROWS)}
    for name, dialect in DIALECTS.items():
        paths = ", ".join(
            f"`{path}{'/…' if dialect.routes[0].suffix else ''}`" for path in dialect.usual_paths
        )
        kind = KINDS[type(read_wish(name, *first[name]))]
        variants = ", ".join(f"`{variant}`" for variant in dialect.variants if variant)
        options = ", ".join(f"`{option}`" for option in sorted(dialect.choices))
        bearer = "`?token=`" if dialect.query_bearer else ""
        lines.append(f"| `{name}` | {paths} | {kind} | {variants} | {options} | {bearer} |")
    return lines


def render_locks(read_locks):
    lines = ["| contract | " + " | ".join(LOCKS) + " |", "|---" * (len(LOCKS) + 1) + "|"]
    for name, what, route, request in ROWS:
        locks = read_locks(read_wish(name, route, request))
        if "temporary" in what:
            # The bucket asks both: what the policy demands, and what the credentials that signed it may do.
            locks["ACL"] = read_session_locks("photos/G.M/")["ACL"]
        told = f"`{name}`, {what}" if what else f"`{name}`"
        lines.append(f"| {told} | " + " | ".join(locks[lock] for lock in LOCKS) + " |")
    return lines


def hold(table, lines):
    """Compare a table of the page with its lines, or write them there."""
    begin, end = f"<!-- {table}: begin -->\n", f"<!-- {table}: end -->\n"
    text = DOCS.read_text(encoding="utf-8")
    head, tail = text[: text.index(begin) + len(begin)], text[text.index(end) :]
    derived = head + "\n".join(lines) + "\n" + tail
    if os.environ.get("OSSGATE_WRITE_DOCS"):
        DOCS.write_text(derived, encoding="utf-8")

    assert derived == DOCS.read_text(encoding="utf-8"), __doc__


def test_contracts_are_those_of_the_code():
    """Paths, kind of grant, variants and options of each."""
    hold("contracts", render_contracts())


def test_locks_are_those_that_are_signed(read_locks):
    """Each row is read from the policy or the URL that a client of this contract gets."""
    hold("locks", render_locks(read_locks))


def test_every_contract_has_its_locks_told():
    """No contract is left out of the table."""
    assert set(DIALECTS) == {name for name, *_ in ROWS}
