"""The callback parameter: known encodings, and definitions that OSS would refuse."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.callback_body import DEFAULT_FORM, DEFAULT_JSON, BodyTemplate, compile_body
from signer.callback_param import MAX_PARAM_LENGTH, CallbackDefinition, define_callback
from signer.errors import ConfigurationError

known_answers = pytest.mark.known_answers
URL = "https://uploads.example.com/callback"
BODY_TYPES = {"application/json": "json", "application/x-www-form-urlencoded": "form"}

# Known answers that OSS refuses and this module does not, with the reason.
NOT_REFUSED_HERE = {
    "not-base64": "a definition is always encoded, so it cannot be emitted",
    "not-json": "likewise",
    "unescaped-inner-json": "likewise: the body is escaped as a JSON string",
    "bad-body-type": "the body type is one of two",
    "private-address": "a local OSS calls loopback; whether a real one can reach a host is not decided by its name",
    "too-long": "depends on the ticket: profiles and grants refuse it",
}


def decode(param: str) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(b64decode(param, validate=True))
    return definition


def define_decoded(decoded: dict[str, Any], **changes: Any) -> CallbackDefinition:
    """Define what a decoded definition says, its body taken as it stands."""
    body_type: Any = BODY_TYPES[decoded.get("callbackBodyType", "application/x-www-form-urlencoded")]
    given: dict[str, Any] = {
        "urls": decoded["callbackUrl"].split(";"),
        "body": BodyTemplate(body_type, decoded["callbackBody"], ""),
        "host": decoded.get("callbackHost"),
        "sni": decoded.get("callbackSNI"),
    } | changes
    return define_callback(given.pop("urls"), given.pop("body"), **given)


@known_answers("callback-parameter.json", "callback")
def test_known_definition_is_reproduced_or_refused(case: dict[str, Any]) -> None:
    """What OSS accepts comes out byte for byte, or equal once decoded; what is out of date or has no scheme is refused."""
    decoded = case["decoded"]
    if not case["accepted"]:
        with pytest.raises(ConfigurationError):
            compile_body(decoded["callbackBody"], "form")
        return
    if "://" not in decoded["callbackUrl"]:
        # OSS takes it for http. We ask for the scheme, so that nobody calls without TLS by leaving it out.
        with pytest.raises(ConfigurationError, match="no http or https URL"):
            define_decoded(decoded)
        decoded = decoded | {"callbackUrl": "http://" + decoded["callbackUrl"]}
    param = define_decoded(decoded).build_callback_param("")

    if list(decoded) == ["callbackUrl", "callbackHost", "callbackBody", "callbackBodyType", "callbackSNI"]:
        assert param == case["base64"]
    # The body type is always written; left out, it means the same.
    assert decode(param) == {"callbackBodyType": "application/x-www-form-urlencoded"} | decoded


def test_byte_for_byte_definitions_are_among_the_known() -> None:
    """The case above that compares bytes is not empty: this is the Java SDK's own test."""
    body = BodyTemplate("form", "bucket=${bucket}&object=${object}&my_var=${x:my_var}", "")
    definition = define_callback(
        ["http://oss-demo.aliyuncs.com:23450"], body, host="oss-cn-hangzhou.aliyuncs.com", sni=False
    )

    assert definition.build_callback_param("").startswith(
        "eyJjYWxsYmFja1VybCI6Imh0dHA6Ly9vc3MtZGVtby5hbGl5dW5jcy5jb206MjM0NTAiLCJjYWxsYmFja0hvc3Qi"
    )


@known_answers("callback-parameter.json", "rejected")
def test_what_oss_refuses_is_refused_at_start(case: dict[str, Any]) -> None:
    """Each definition that OSS refuses and that could be written in our settings is refused when they are loaded."""
    if case["name"] in NOT_REFUSED_HERE:
        return
    decoded = decode(case["value"])

    with pytest.raises(ConfigurationError) as refusal:
        define_callback(decoded["callbackUrl"].split(";"), compile_body(decoded["callbackBody"], "form"))
    assert refusal.value.hint


@known_answers("callback-parameter.json", "rejected")
def test_refusal_of_the_url_does_not_hang_on_the_body(case: dict[str, Any]) -> None:
    """The cases about URLs are refused with a body that is in order, too."""
    if case["name"] not in ("non-numeric-port", "six-urls"):
        return
    urls = decode(case["value"])["callbackUrl"].split(";")

    with pytest.raises(ConfigurationError):
        define_callback(urls, compile_body(DEFAULT_FORM, "form"))


@known_answers("callback-parameter.json", "callback_var")
def test_callback_var_is_never_emitted(case: dict[str, Any], make_callback: Any) -> None:
    """Known encodings of OSS's own variables decode; ours travel in the ticket, and no definition names one."""
    assert decode(case["base64"]) == case["decoded"]
    assert "x:" not in json.dumps(decode(make_callback().build_callback_param("t")))


def test_definition_of_https_names_its_host_in_tls(make_callback: Callable[..., CallbackDefinition]) -> None:
    """The whole definition, as OSS reads it."""
    param = make_callback(host="uploads.example.com").build_callback_param("abc.def")

    assert decode(param) == {
        "callbackUrl": URL,
        "callbackHost": "uploads.example.com",
        "callbackBody": DEFAULT_JSON.replace("${ticket}", '"abc.def"'),
        "callbackBodyType": "application/json",
        "callbackSNI": True,
    }


@pytest.mark.parametrize(
    ("urls", "sni", "written"),
    [
        ([URL], None, True),
        (["HTTPS://uploads.example.com/"], None, True),
        (["http://a.example.com", URL], None, True),
        (["http://a.example.com"], None, None),
        ([URL], False, False),
        (["http://a.example.com"], True, True),
    ],
)
def test_sni_is_on_for_https_unless_told_otherwise(
    urls: list[str], sni: bool | None, written: bool | None, make_callback: Callable[..., CallbackDefinition]
) -> None:
    """Shared front ends need SNI; a setting of either kind is written as it is."""
    assert decode(make_callback(urls=urls, sni=sni).build_callback_param("t")).get("callbackSNI") is written


def test_five_urls_are_joined_in_order(make_callback: Callable[..., CallbackDefinition]) -> None:
    """OSS tries them in turn; there is no semicolon at the end."""
    urls = [f"https://{name}.example.com/cb?x=1&y=%20" for name in "abcde"]

    assert decode(make_callback(urls=urls).build_callback_param("t"))["callbackUrl"] == ";".join(urls)


@pytest.mark.parametrize("body_type", ["json", "form"])
def test_ticket_lands_in_its_own_place(
    body_type: Any, make_callback: Callable[..., CallbackDefinition]
) -> None:
    """Whatever the constants before it look like, the ticket is where the template has it."""
    note = '<ticket> \\"図\\" \\\\ticket' if body_type == "json" else '<ticket>"図"\\'
    body = (
        DEFAULT_JSON.replace("{", f'{{"note":"{note}",', 1)
        if body_type == "json"
        else f"note={note}&{DEFAULT_FORM}"
    )
    definition = make_callback(body=body, body_type=body_type)
    written = decode(definition.build_callback_param("abc.def"))["callbackBody"]
    quotes = '"' if body_type == "json" else ""

    assert written == body.replace("${ticket}", f"{quotes}abc.def{quotes}")


def test_longest_ticket_fills_the_parameter(make_callback: Callable[..., CallbackDefinition]) -> None:
    """The longest ticket gives exactly OSS's 5,120 characters, and one character more passes them."""
    definition = make_callback()
    longest = definition.longest_ticket()

    assert len(definition.build_callback_param("t" * longest)) == MAX_PARAM_LENGTH == 5120
    assert len(definition.build_callback_param("t" * (longest + 1))) > MAX_PARAM_LENGTH


@pytest.mark.parametrize(
    "url",
    [
        "",
        "uploads.example.com/callback",
        "//uploads.example.com",
        "ftp://uploads.example.com",
        "https://",
        "https:///callback",
        "https://uploads.example.com:test/",
        "https://uploads.example.com:0/",
        "https://uploads.example.com:65536/",
        "https://uploads.example.com/中文.php",
        "https://例え.jp/",
        "https://uploads.example.com/a b",
        "https://uploads.example.com/a;https://b.example.com",
        "https://uploads.example.com/\r\nHost: b",
        "https://uploads.example.com/\t",
        "https://uploads.example.com/\x00",
        'https://uploads.example.com/"',
        "https://uploads.example.com/<ticket>",
        "https://uploads.example.com/${object}",
        "https://uploads.example.com/\\b",
        "https://user@uploads.example.com/",
        "https://user:password@uploads.example.com/",
        "https://@uploads.example.com/",
        "https://uploads.example.com/#a",
        "https://uploads.example.com/#",
        "https://[::1]/",
        "https://[::1/",
        "https://uploads.example.com/a+b",
        "https://uploads.example.com/a?",
    ],
)
def test_url_that_oss_or_we_cannot_use_is_refused(
    url: str, make_callback: Callable[..., CallbackDefinition]
) -> None:
    """OSS cannot call it, or its callbacks would be signed in two ways: refused at start with a hint."""
    with pytest.raises(ConfigurationError) as refusal:
        make_callback(urls=[URL, url])

    assert refusal.value.hint


@pytest.mark.parametrize("urls", [[], [URL] * 6], ids=len)
def test_number_of_urls_is_bounded(urls: list[str], make_callback: Callable[..., CallbackDefinition]) -> None:
    """OSS calls one to five."""
    with pytest.raises(ConfigurationError, match="one to five"):
        make_callback(urls=urls)


@pytest.mark.parametrize(
    "host", ["a b", "a\r\nX: 1", "https://a.example.com", "a/b", "例え.jp", "a:port", "a;b", '"']
)
def test_host_that_is_no_header_value_is_refused(
    host: str, make_callback: Callable[..., CallbackDefinition]
) -> None:
    """What OSS sends as Host is a name, with a port at most."""
    with pytest.raises(ConfigurationError, match="no host name"):
        make_callback(host=host)


@given(
    url=st.text()
    | st.text().map(lambda tail: URL + "/" + tail)
    | st.text().map(lambda host: f"https://{host}/")
)
def test_any_url_is_carried_whole_or_refused(url: str) -> None:
    """Generated URLs only end in our error, or stand in the definition as they were given."""
    try:
        definition = define_callback([url], compile_body(DEFAULT_JSON, "json"))
    except ConfigurationError:
        return
    assert decode(definition.build_callback_param("t"))["callbackUrl"] == url
    assert b64encode(b64decode(definition.build_callback_param("t"))).decode().isascii()
