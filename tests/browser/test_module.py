"""static/ossgate.js as anyone's page uses it, against the real server and bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# Runs a piece of script with the module at hand; an UploadError becomes a dictionary.
RUN = """
async (values) => {
  const ossgate = await import("/static/ossgate.js");
  const make = (text, name = "a.txt", type = "text/plain") => new File([text], name, { type });
  try {
    return await (async () => { BODY })();
  } catch (error) {
    const { code, status, retryable, stored, oss } = error;
    return code ? { code, status, retryable, stored, oss: oss && oss.code } : String(error);
  }
}
"""


@pytest.fixture
def run(visit: Callable[..., Any]) -> Callable[..., Any]:
    """Run a piece of script on the page of the demo."""
    visitor = visit().open()

    def act(body: str, values: Any = None) -> Any:
        return visitor.page.evaluate(RUN.replace("BODY", body), values)

    return act


def test_profiles_are_told(run: Callable[..., Any]) -> None:
    """The limits can be read before anything is asked for."""
    profiles = run('return ossgate.fetchProfiles("");')
    assert {profile["name"] for profile in profiles} >= {"photo", "file"}


def test_steps_one_by_one(run: Callable[..., Any]) -> None:
    """Grant, form and confirmation work one by one, and confirming again answers the same."""
    posted, confirmed, again = run(
        """
        const file = make("hello");
        const grant = await ossgate.requestGrant("", { profile: "file", file });
        const posted = await ossgate.postForm(grant, file);
        return [posted, await ossgate.confirmUpload("", grant.upload_id), await ossgate.confirmUpload("", grant.upload_id)];
        """
    )
    assert posted["status"] == 200
    assert posted["confirmed"]
    assert posted["reply"]["size"] == 5
    assert confirmed["etag"] == again["etag"] == posted["reply"]["etag"]


def test_grant_without_a_file(run: Callable[..., Any]) -> None:
    """A grant may be asked for by name, size and type alone."""
    grant = run(
        'return ossgate.requestGrant("", { profile: "photo", filename: "x.png", size: 9, contentType: "image/png" });'
    )
    assert grant["fields"]["key"] == grant["object_key"]
    assert grant["object_key"].endswith(".png")


def test_another_size_than_granted_is_refused(run: Callable[..., Any]) -> None:
    """The bucket holds a client to the size that it told."""
    error = run(
        """
        const grant = await ossgate.requestGrant("", { profile: "file", file: make("hello") });
        return ossgate.postForm(grant, make("hello, and more"));
        """
    )
    assert error["code"] == "entity_too_large"
    assert error["retryable"] is False


def test_taken_name_is_not_overwritten(run: Callable[..., Any]) -> None:
    """A grant is good for one object: a second post under it is refused."""
    error = run(
        """
        const grant = await ossgate.requestGrant("", { profile: "file", file: make("hello") });
        await ossgate.postForm(grant, make("hello"));
        return ossgate.postForm(grant, make("hallo"));
        """
    )
    assert error == {
        "code": "object_exists",
        "status": 409,
        "retryable": True,
        "stored": False,
        "oss": "FileAlreadyExists",
    }


def test_retry_uses_a_grant_that_still_holds(run: Callable[..., Any]) -> None:
    """An attempt that never reached the bucket costs no second grant."""
    grants, state = run(
        """
        const file = make("hello");
        const grant = await ossgate.requestGrant("", { profile: "file", file });
        const previous = new ossgate.UploadError("network", "cut", { uploadId: grant.upload_id, grant });
        const grants = [];
        const { reply } = await ossgate.upload("", file, {
          profile: "file", previous, onGrant: (each) => grants.push(each.upload_id === grant.upload_id),
        });
        return [grants, reply.state];
        """
    )
    assert (grants, state) == ([True], "uploaded")


def test_states_are_told_in_order(run: Callable[..., Any]) -> None:
    """A page can follow the whole way."""
    states = run(
        """
        const states = [];
        await ossgate.upload("", make("hello"), { profile: "file", onState: (state) => states.push(state) });
        return states;
        """
    )
    assert states == ["granting", "sending", "sent", "done"]


def test_nothing_arrived_is_told_apart(run: Callable[..., Any]) -> None:
    """Confirming what was never sent is its own error, and worth another try."""
    error = run(
        """
        const grant = await ossgate.requestGrant("", { profile: "file", file: make("hello") });
        return ossgate.confirmUpload("", grant.upload_id);
        """
    )
    assert (error["code"], error["status"], error["retryable"]) == ("object_missing", 409, True)


def test_unknown_profile_has_the_servers_code(run: Callable[..., Any]) -> None:
    """The server's own codes come through."""
    error = run('return ossgate.upload("", make("hello"), { profile: "nonsense" });')
    assert (error["code"], error["status"]) == ("profile_unknown", 404)


def test_abort_before_the_grant(run: Callable[..., Any]) -> None:
    """A signal that is aborted already ends the upload before it begins."""
    error = run('return ossgate.upload("", make("x"), { profile: "file", signal: AbortSignal.abort() });')
    assert error["code"] == "cancelled"


def test_address_that_is_no_server(run: Callable[..., Any]) -> None:
    """A path below which no such server is has the status and the code that came back."""
    error = run('return ossgate.fetchUpload("/nowhere", "x");')
    assert (error["code"], error["status"]) == ("not_found", 404)


@pytest.mark.parametrize(
    ("profile", "text", "name", "media_type", "code"),
    [
        ({"content_types": ["image/*"]}, "x", "a.png", "image/png", None),
        ({"content_types": ["*/*"]}, "x", "a.xyz", "", None),
        ({"content_types": ["image/*"]}, "x", "a.HEIC", "", None),
        ({"content_types": ["image/*"]}, "x", "a.pdf", "application/pdf", "content_type_not_allowed"),
        ({"content_types": ["text/plain"]}, "x", "a.txt", "text/plain;charset=utf-8", None),
        ({"max_size": 3}, "abcd", "a", "", "size_over_limit"),
        ({"min_size": 3}, "ab", "a", "", "size_under_limit"),
        ({"min_size": 1}, "", "a", "", "file_empty"),
        ({}, "", ".png", "", None),
    ],
)
def test_file_checks(
    run: Callable[..., Any], profile: dict[str, Any], text: str, name: str, media_type: str, code: str | None
) -> None:
    """A file is judged by size and type as the server judges it."""
    body = "return ossgate.checkFile(values[0], make(...values.slice(1)))?.code ?? null;"
    assert run(body, [profile, text, name, media_type]) == code


@pytest.mark.parametrize(
    ("xml", "read"),
    [
        ("<html>gateway</html>", None),
        ("", None),
        (
            '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>a &lt;b&gt; &amp;amp; c</Message>'
            "<RequestId>65A</RequestId><EC>0006</EC></Error>",
            {"code": "AccessDenied", "message": "a <b> &amp; c", "ec": "0006", "requestId": "65A"},
        ),
        ("<Error><Code>X</Code></Error>", {"code": "X", "message": "", "ec": "", "requestId": ""}),
    ],
)
def test_error_xml_is_read(run: Callable[..., Any], xml: str, read: Any) -> None:
    """OSS's error XML is read, and what is none is told apart."""
    assert run("return ossgate.parseOssError(values);", xml) == read
