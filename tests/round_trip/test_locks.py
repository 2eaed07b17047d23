"""What a `once` grant pins and what it leaves open, tried field by field; docs/locks.md says the same.

The emulator judges, by its own reading of OSS's rules.
"""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "locks.md"

# Every form field that OSS is known to obey or to read (*PostObject*,
# https://help.aliyun.com/zh/oss/developer-reference/postobject), with a value that would matter.
OTHER_FIELDS = {
    "Cache-Control": "max-age=31536000",
    "Content-Encoding": "gzip",
    "Expires": "Thu, 01 Jan 2099 00:00:00 GMT",
    "Content-Type": "text/html",
    "success_action_redirect": "https://elsewhere.example/",
    "x-oss-server-side-encryption": "AES256",
    "x-oss-server-side-data-encryption": "SM4",
    "x-oss-server-side-encryption-key-id": "key",
    "x-oss-tagging": "a=b",
    "x-oss-meta-*": "mine",
    "x:*": "mine",
}
SIGNATURE_FIELDS = {"policy", "x-oss-signature", "Signature", "OSSAccessKeyId"}


@pytest.fixture(scope="module", params=["v4", "v1"])
def locked(request, tmp_path_factory, world_runner):
    """A set-up for each signature version."""
    change = lambda text: text.replace("[oss]\n", f'[oss]\nsignature = "{request.param}"\n')  # noqa: E731
    with world_runner(tmp_path_factory.mktemp(request.param), change=change) as running:
        yield running


def read_docs(section):
    """The field names of one table of docs/locks.md."""
    sections = re.split(r"^## ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = next(text for text in sections if text.startswith(section + "\n"))
    return set(re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE))


def is_refused(world, grant, fields, **post):
    """Post a spoiled form; when it is refused nothing is stored and nothing recorded."""
    answer = world.post(grant, fields=fields, **post)
    if answer.status < 400:
        return False
    assert world.ledger.fetch_upload(grant["upload_id"]).state == "issued"
    confirm = world.call("POST", f"/v1/uploads/{grant['upload_id']}/confirm")
    assert (409, "object_missing") == (confirm.status, confirm.error)
    return True


def fields_of(world):
    return list(world.ask()["fields"])


def test_each_field_is_refused_when_it_is_dropped(locked):
    """No field of the form can be left out."""
    dropped = {}
    for name in fields_of(locked):
        grant = locked.ask()
        fields = {other: value for other, value in grant["fields"].items() if other != name}
        dropped[name] = is_refused(locked, grant, fields)

    assert dict.fromkeys(dropped, True) == dropped


def test_each_field_is_refused_when_it_is_altered(locked):
    """No field of the form can have another value, not even one that OSS would know."""
    others = {
        "x-oss-object-acl": "public-read-write",
        "success_action_status": "204",
        "x-oss-forbid-overwrite": "false",
        "x-oss-storage-class": "IA",
        "x-oss-content-type": "text/html",
        "Content-Disposition": "inline",
        "key": "photos/other.jpg",
    }
    altered = {}
    for name in fields_of(locked):
        for value in (others.get(name, ""), None):
            grant = locked.ask()
            changed = grant["fields"][name] + "x" if value is None else value
            altered[name, changed[-20:]] = is_refused(locked, grant, grant["fields"] | {name: changed})

    assert dict.fromkeys(altered, True) == altered


def test_each_field_is_refused_when_another_grant_lends_it(locked):
    """A field of one grant fits no other, but for those that are the same in all."""
    one = locked.ask(filename="one.jpg", size=3)
    differing = [
        name
        for name, value in locked.ask(filename="two.png")["fields"].items()
        if one["fields"][name] != value
    ]
    lent = {}
    for name in differing:
        if name in ("x-oss-date", "x-oss-credential"):
            continue
        grant = locked.ask(filename="two.png")
        lent[name] = is_refused(locked, grant, grant["fields"] | {name: one["fields"][name]})

    assert {"key", "callback", "policy", "x-oss-meta-ossgate-seal", "x-oss-content-type"} <= set(lent)
    assert dict.fromkeys(lent, True) == lent


def test_a_doubled_field_is_refused_or_changes_nothing(locked):
    """Of two fields of one name, in any case, the policy judges the one that takes effect."""
    for name in fields_of(locked):
        extra = (name.upper(), "public-read-write" if name == "x-oss-object-acl" else "other")
        grant = locked.ask()
        assert is_refused(locked, grant, [extra, *grant["fields"].items()]), name

        grant = locked.ask()
        if not is_refused(locked, grant, [*grant["fields"].items(), extra]):
            stored = locked.fetch(locked.call("GET", f"/v1/uploads/{grant['upload_id']}").json["url"])
            pinned = ("x-oss-meta-ossgate-seal", "Content-Disposition")
            assert locked.ledger.fetch_upload(grant["upload_id"]).state == "uploaded"
            assert [grant["fields"][one] for one in pinned] == [stored.headers[one] for one in pinned]


def test_no_other_bucket_takes_the_form(locked):
    """The bucket is a condition, too."""
    grant = locked.ask()

    assert is_refused(locked, grant | {"url": locked.emulator.url + "/otherbucket"}, grant["fields"])


def test_fields_that_stay_open_are_those_of_the_docs(locked):
    """Each known field that the form does not hold is refused, or stands in the docs as open."""
    accepted = set()
    for name, value in OTHER_FIELDS.items():
        grant = locked.ask()
        sent = name.replace("*", "note")
        # Known values only: a value that OSS refuses by itself would hide that the field is open.
        if not is_refused(locked, grant, grant["fields"] | {sent: value}):
            accepted.add(name)

    assert accepted == read_docs("Open")


def test_pinned_fields_are_those_of_the_docs(locked):
    """The docs name each field of the form, and the conditions that are no field."""
    documented = read_docs("Pinned")

    assert set(fields_of(locked)) - SIGNATURE_FIELDS <= documented
    assert documented - set(fields_of(locked)) <= {
        "bucket", "content-length-range",
        "x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token",
    }  # fmt: skip


def test_an_open_content_type_field_changes_no_type(locked):
    """The file part's own type and the field Content-Type are outranked by the pinned one."""
    grant = locked.ask()
    answer = locked.post(grant, fields=grant["fields"] | {"Content-Type": "text/html"}, part_type="text/html")

    stored = locked.fetch(answer.json["url"])
    assert ("image/jpeg", "image/jpeg") == (answer.json["content_type"], stored.headers["Content-Type"])


def test_an_open_redirect_cannot_silence_the_callback(locked):
    """A form that asks for a redirect is called back all the same."""
    grant = locked.ask()
    locked.post(grant, fields=grant["fields"] | {"success_action_redirect": "https://elsewhere.example/"})

    assert "uploaded" == locked.ledger.fetch_upload(grant["upload_id"]).state
