"""Temporary credentials: what holds, what outlives a restart, what is refused."""

import base64
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.errors import OssError
from ossgate.emulator.sts.session_tokens import (
    KEY_FILE,
    TokenForged,
    TokenMalformed,
    TokenSeal,
    load_seal,
)

POLICY = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


def find(caller: Any, key_id: str, token: str) -> Any:
    return caller.sts.find_credentials(key_id, token, now=caller.clock[0])


def refusal(caller: Any, key_id: str, token: str) -> tuple[int, str, str, str]:
    with pytest.raises(OssError) as caught:
        find(caller, key_id, token)
    return caught.value.kind.status, caught.value.kind.code, caught.value.message, caught.value.kind.ec


def test_shape(caller: Any) -> None:
    """ID, secret and token look like the service's: prefixes, lengths, base64."""
    found = caller.call().credentials

    assert found["AccessKeyId"].startswith("STS.")
    assert 29 == len(found["AccessKeyId"])
    assert found["AccessKeySecret"].isalnum()
    assert found["SecurityToken"].startswith("CAIS")
    assert base64.b64decode(found["SecurityToken"], validate=True)


def test_found_again(caller: Any) -> None:
    """The credentials of an answer are found with secret, token and end."""
    answer = caller.call(Policy=POLICY).credentials
    found = find(caller, answer["AccessKeyId"], answer["SecurityToken"])

    assert (answer["AccessKeySecret"], answer["SecurityToken"]) == (
        found.access_key_secret,
        found.security_token,
    )
    assert POLICY == found.session.policy
    assert answer["Expiration"] == f"{found.expires_at:%Y-%m-%dT%H:%M:%SZ}"


def test_restart(make_caller: Callable[..., Any]) -> None:
    """A second emulator on the same folder takes the first one's tokens."""
    answer = make_caller().call().credentials
    found = find(make_caller(), answer["AccessKeyId"], answer["SecurityToken"])

    assert answer["AccessKeySecret"] == found.access_key_secret


INVALID = "The security token you provided is invalid."


def test_token_missing(caller: Any) -> None:
    """An STS ID without its token is refused like an unknown key, with an EC of its own."""
    answer = caller.call().credentials

    assert (
        403,
        "InvalidAccessKeyId",
        "The OSS Access Key Id you provided does not exist in our records.",
        "0002-00000003",
    ) == refusal(caller, answer["AccessKeyId"], "")


def test_key_unknown(caller: Any) -> None:
    """An ID that STS never makes is unknown, whatever the token."""
    token = caller.call().credentials["SecurityToken"]

    assert "0002-00000902" == refusal(caller, "nobody", token)[3]


def test_token_of_another_key(caller: Any) -> None:
    """ID and token must come of one answer."""
    one, two = caller.call().credentials, caller.call().credentials

    assert "0002-00000004" == refusal(caller, one["AccessKeyId"], two["SecurityToken"])[3]


@pytest.mark.parametrize("token", ["rubbish", "CAIS", "é", "CAIS" + "A" * 20_000, "!" * 100, " "])
def test_token_malformed(caller: Any, token: str) -> None:
    """What does not look like a token is invalid."""
    assert (403, "InvalidSecurityToken", INVALID, "0002-00000006") == refusal(caller, "STS.x", token)


def test_token_altered(caller: Any) -> None:
    """One bit changed anywhere behind the head, and the token is none of ours."""
    answer = caller.call().credentials
    sealed = base64.b64decode(answer["SecurityToken"])
    for position in (3, 14, 15, len(sealed) // 2, len(sealed) - 1):
        altered = bytearray(sealed)
        altered[position] ^= 1
        token = base64.b64encode(altered).decode()

        assert (403, "InvalidSecurityToken", INVALID, "0002-00000008") == refusal(
            caller, answer["AccessKeyId"], token
        )


def test_token_of_another_emulator(make_caller: Callable[..., Any], tmp_path: Path) -> None:
    """Another folder, another key: the token is not ours."""
    other = tmp_path / "other"
    other.mkdir()
    answer = make_caller(data_dir=other).call().credentials

    assert "0002-00000008" == refusal(make_caller(), answer["AccessKeyId"], answer["SecurityToken"])[3]


def test_token_expired(caller: Any, later: Callable[[Any, float], None]) -> None:
    """A token dies at the second that its answer names, and not before."""
    answer = caller.call(DurationSeconds="900").credentials
    later(caller, 899)

    assert find(caller, answer["AccessKeyId"], answer["SecurityToken"])
    later(caller, 1)
    assert (
        403,
        "SecurityTokenExpired",
        "The security token you provided has expired.",
        "0002-00000007",
    ) == refusal(caller, answer["AccessKeyId"], answer["SecurityToken"])


def test_secrets_are_not_shown(caller: Any) -> None:
    """Neither secret nor token stands in a repr."""
    answer = caller.call().credentials
    shown = repr(find(caller, answer["AccessKeyId"], answer["SecurityToken"])) + repr(caller.sts)

    assert answer["AccessKeySecret"] not in shown
    assert answer["SecurityToken"] not in shown
    assert "test-key-secret" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_key_file_is_its_owners(tmp_path: Path) -> None:
    """Nobody else can read the key that seals the tokens."""
    load_seal(tmp_path)

    assert 0o600 == stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode)
    assert [KEY_FILE] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("text", ["", "00", "no hex"])
def test_key_file_damaged(tmp_path: Path, text: str) -> None:
    """A file that holds no key is refused, not replaced."""
    (tmp_path / KEY_FILE).write_text(text)

    with pytest.raises(ValueError, match=r"key|hex"):
        load_seal(tmp_path)


@given(st.text() | st.binary().map(lambda data: base64.b64encode(b"\x08\x02\x12" + data).decode()))
def test_garbage_is_refused(token: str) -> None:
    """Whatever comes as a token ends in one of two refusals."""
    with pytest.raises((TokenMalformed, TokenForged)):
        TokenSeal(bytes(32)).open(token)
