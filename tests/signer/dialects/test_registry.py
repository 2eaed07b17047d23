"""All contracts together: what holds for each of them."""

import json
from dataclasses import fields

import pytest

from callback.reply import compile_reply
from signer.dialects.contract import Envelope, Options, Refusal
from signer.dialects.registry import DIALECTS
from signer.profiles import MAX_DIALECT_BYTES

REFUSAL = Refusal(403, "profile_forbidden", "not open to you", "ask for it")
IN_HTTP_200 = {"mall", "gulimall", "sts_mobile"}


@pytest.mark.parametrize("name", DIALECTS)
def test_usual_paths_are_absolute_and_never_the_root(name):
    """``/`` is the upload page, never an alias."""
    for path in DIALECTS[name].usual_paths:
        assert path.startswith("/")
        assert path.rstrip("/") == path != ""


def test_usual_paths_are_different():
    """All contracts can be on at their usual paths together."""
    paths = [path for dialect in DIALECTS.values() for path in dialect.usual_paths]

    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("name", DIALECTS)
def test_name_fits_the_ticket(name):
    """The ticket carries the name."""
    assert len(name.encode()) <= MAX_DIALECT_BYTES


@pytest.mark.parametrize("name", DIALECTS)
def test_choices_are_options(name):
    """A contract names no option that does not exist."""
    assert DIALECTS[name].choices <= {field.name for field in fields(Options)}


@pytest.mark.parametrize("name", DIALECTS)
def test_refusal_tells_the_reason(refuse, name):
    """Each client gets status and reason where it looks for them; three of them look inside HTTP 200 alone."""
    answer = refuse(name, REFUSAL)

    assert (200 if name in IN_HTTP_200 else 403) == answer.status
    assert b"not open to you: ask for it" in answer.body


@pytest.mark.parametrize("name", [name for name in DIALECTS if "envelope" in DIALECTS[name].choices])
def test_envelope_wraps_refusals_too(refuse, name):
    """A page that reads ``code`` reads it in errors as well."""
    answer = refuse(name, REFUSAL, envelope=Envelope("code", "msg", "data", 0, "ok"))

    assert {"code": 403, "msg": "not open to you: ask for it", "data": None} == json.loads(answer.body)


@pytest.mark.parametrize("name", DIALECTS)
def test_callback_reply_is_a_template_that_compiles(name):
    """What the callback answers has only placeholders that replies know."""
    dialect = DIALECTS[name]
    for variant in dialect.variants:
        options = Options(variant=variant, envelope=dialect.defaults.envelope)

        assert compile_reply(dialect.reply(options)).template
