"""`[dialects]` becomes contracts at their paths; what cannot work stops the start, each problem with its line and fix."""

import re

import pytest

from ossgate.app import create_app
from ossgate.assembly import assemble
from ossgate.dialect_assembly import OWN_METHODS, OWN_TREES
from ossgate.example_settings import EXAMPLE
from ossgate.key_files import new_key, write_secret
from ossgate.problems import SettingsInvalid
from ossgate.settings import load_settings
from signer.dialects.contract import Envelope
from signer.dialects.registry import DIALECTS

ROLE = '[oss.sts]\nrole_arn = "acs:ram::1234567890123456:role/uploader"\n'
WAYS = 'via = ["post", "put", "multipart", "sts"]\nkey_prefix = "photos/{date}/"\n'
CREDENTIALS = {"OSS_ACCESS_KEY_ID": "an-id", "OSS_ACCESS_KEY_SECRET": "a-secret"}


@pytest.fixture
def load(tmp_path):
    """Load the example with tables added at its end."""
    for name in ("ticket.key", "seal.key"):
        write_secret(tmp_path / "secrets" / name, new_key())

    def make(added, role=ROLE):
        text = EXAMPLE.replace("[profiles.photo]", role + "[profiles.photo]\n" + WAYS, 1)
        (tmp_path / "ossgate.toml").write_text(text + added, encoding="utf-8")
        return load_settings(tmp_path / "ossgate.toml", CREDENTIALS)

    return make


def table(name, *lines, profile="photo"):
    return "\n".join([f"[dialects.{name}]", f'profile = "{profile}"', *lines, ""])


@pytest.mark.parametrize("name", DIALECTS)
def test_table_needs_no_more_than_a_profile(load, name):
    """Contract and paths are the usual ones of the table's name."""
    (one,) = assemble(load(table(name))).dialects

    assert (name, DIALECTS[name], "photo", DIALECTS[name].usual_paths) == (
        one.name, one.dialect, one.profile, one.paths,
    )  # fmt: skip
    assert DIALECTS[name].variants[0] == one.options.variant


def test_table_says_the_rest(load):
    """Contract, paths, variant, options and envelope of one's own."""
    added = table(
        "old_shop", 'contract = "appserver_v1"', 'paths = "/shop/policy"', 'variant = "java"',
        "dir_slash = false", "callback = false",
        '[dialects.old_shop.envelope]', 'code = "status"', 'ok = "0"',
    )  # fmt: skip
    (one,) = assemble(load(added)).dialects

    assert ("old_shop", "appserver_v1", ("/shop/policy",)) == (one.name, one.dialect.name, one.paths)
    assert ("java", False, False) == (one.options.variant, one.options.dir_slash, one.options.callback)
    assert Envelope(code="status", ok="0") == one.options.envelope


PRESIGN, FORM = table("presign"), table("form")


@pytest.mark.parametrize(
    ("added", "words", "fix"),
    [
        (table("appserver"), "'appserver' is no client contract", "did you mean appserver_v"),
        (table("x", 'contract = "uppy"'), "contract: 'uppy' is no client contract", "uppy_sign"),
        (table("presign", profile="foto"), "there is no profile 'foto'", "did you mean photo?"),
        (table("presign", 'variant = "patch"'), "presign has no variant 'patch'", "one of post, put"),
        (table("form", 'variant = "x"'), "form has no variant 'x'", "it has one form only"),
        (table("form", "dir_slash = true"), "dir_slash: changes nothing in form", "known here are envelope"),
        (table("companion", "extras = true"), "extras: changes nothing in companion", "take it out"),
        (table("presign", 'paths = ["/"]'), "/ is the upload page, and never an alias", "/presign"),
        *[
            (table("presign", f"paths = ['{path}']"), "is no path", "write it as /a/b")
            for path in ("presign", "/a/", "//a", "/a b", "/a?b", "/<x>", "/../a", "/a/./b", "")
        ],
        *[
            (table("presign", f'paths = ["{path}"]'), "is an address of ossgate itself", "another path")
            for path in ("/v1", "/v1/uploads", "/callback", "/callback/x", "/healthz", "/static/x", "/form")
        ],
        (
            PRESIGN + table("form", 'paths = ["/presign"]'),
            "GET /presign belongs to [dialects.presign]",
            "another path",
        ),
        (
            table("companion") + table("presign", 'paths = ["/s3/params"]'),
            "GET /s3/params belongs to [dialects.companion]",
            "give one of the two",
        ),
        (
            table("companion") + table("presign", 'paths = ["/s3/multipart/7"]'),
            "GET /s3/multipart/7 belongs to [dialects.companion]",
            "give one of the two",
        ),
        (table("Presign", 'contract = "presign"'), "cannot name a dialect", "of a-z, 0-9, _ and -"),
        (table("p" * 33, 'contract = "presign"'), "cannot name a dialect", "at most 32"),
    ],
)
def test_problem_has_its_line_and_fix(load, added, words, fix):
    """Each names the line of its table, what is wrong, and the way out."""
    with pytest.raises(SettingsInvalid) as invalid:
        assemble(load(added))
    told = str(invalid.value)

    assert words in told
    assert fix in told.partition(words)[2]
    assert re.search(r"line \d+, \[dialects", told)


def test_profile_must_take_the_ways_of_the_contracts_clients(load):
    """A contract whose clients post forms needs a profile that takes them."""
    added = (
        table("companion", profile="put_only") + '[profiles.put_only]\nallow = ["api_key"]\nvia = ["put"]\n'
    )
    with pytest.raises(SettingsInvalid) as invalid:
        assemble(load(added))

    assert "its clients upload by post, which the profile put_only does not take" in str(invalid.value)
    assert 'add "multipart" to [profiles.put_only] via' in str(invalid.value)


def test_clients_that_name_their_own_files_need_a_prefix(load):
    """A profile without ``key_prefix`` has nowhere to put what they name."""
    added = table("mall", profile="bare") + '[profiles.bare]\nallow = ["api_key"]\n'
    with pytest.raises(SettingsInvalid) as invalid:
        assemble(load(added))

    assert "the profile bare has no key_prefix" in str(invalid.value)
    assert 'add key_prefix = "bare/{date}/" to [profiles.bare]' in str(invalid.value)


def test_credentials_need_a_role(load):
    """Without ``[oss.sts]`` there is nothing to make them of, and the start says so."""
    with pytest.raises(SettingsInvalid) as invalid:
        assemble(load(table("sts_mobile"), role=""))

    assert "there is no role to make them of" in str(invalid.value)
    assert "set [oss.sts] role_arn" in str(invalid.value)


def test_one_table_may_have_several_paths(load):
    """The same contract at two addresses; also of a table whose paths share a beginning."""
    (one,) = assemble(load(table("presign", 'paths = ["/presign", "/presign/again"]'))).dialects

    assert ("/presign", "/presign/again") == one.paths


def test_form_shares_its_address_with_the_page(load):
    """The page without scripts posts to ``/form``, and the contract is asked by GET."""
    rules = {
        (rule.rule, method): rule.endpoint
        for rule in create_app(load(FORM)).url_map.iter_rules()
        for method in rule.methods
    }

    assert rules["/form", "GET"].startswith("dialects.")
    assert rules["/form", "POST"].startswith("pages.")


def test_own_addresses_are_those_of_the_application(load):
    """No address of ours is left open to a contract: the list here is held against the routes."""
    unknown = [
        f"{method} {rule.rule}"
        for rule in create_app(load("")).url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule != "/"
        and method not in OWN_METHODS.get(rule.rule, ())
        and not any(rule.rule == tree or rule.rule.startswith(tree + "/") for tree in OWN_TREES)
    ]

    assert [] == unknown


def test_profiles_own_reply_counts_for_every_contract(load):
    """The example's profile writes its reply down; without one, each contract's clients get what they expect."""
    added = table("mall") + table("appserver_v1", 'variant = "php"') + table("presign")
    with_reply = assemble(load(added)).profiles["photo"]
    bare = load(added.replace("photo", "bare") + '[profiles.bare]\nallow = ["api_key"]\n' + WAYS)

    assert {} == with_reply.replies
    replies = assemble(bare).profiles["bare"].replies
    assert {"mall", "appserver_v1"} == set(replies)
    assert {"Status": "Ok"} == replies["appserver_v1"].template
