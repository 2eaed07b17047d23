"""An STS without a server, and a small client that signs calls in each of the four shapes.

The signing here is the tests' own: shared with neither the emulator nor the product's signer.
"""

import base64
import hashlib
import hmac
import itertools
import json
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ossgate.emulator.requests import Request, decode_query, split_host
from ossgate.emulator.responses import Response
from ossgate.emulator.sts import RequestFacts, Sts, StsOptions, load_seal

KEY_ID = "test-key-id"
SECRET = "test-key-secret"
ACCOUNT = "1234567890123456"
ROLE_ARN = f"acs:ram::{ACCOUNT}:role/uploader"
NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
HOST = "127.0.0.1:9000"


def encode(text: str) -> str:
    return urllib.parse.quote(text, safe="~")


class FixedBody:
    def __init__(self, data: bytes) -> None:
        self.length: int | None = len(data)
        self._data = data

    def iter_chunks(self) -> Iterator[bytes]:
        if self._data:
            yield self._data


@dataclass
class StsAnswer:
    """An answer, read."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, code and message."""
        return self.status, self.json["Code"], self.json["Message"]

    @property
    def credentials(self) -> dict[str, str]:
        assert self.status == 200, self.body
        found: dict[str, str] = self.json["Credentials"]
        return found


@dataclass
class StsCaller:
    """Signs calls and has them answered."""

    sts: Sts
    clock: list[datetime]
    key_id: str = KEY_ID
    secret: str = SECRET
    token: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def send(
        self,
        method: str = "GET",
        *,
        query: str = "",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        path: str = "/",
    ) -> StsAnswer:
        """Send a request as it is."""
        all_headers = {"host": HOST, **(headers or {})}
        request = Request(
            method=method,
            raw_path=path,
            query=decode_query(query),
            headers=all_headers,
            host=split_host(all_headers["host"]),
            bucket="",
            object_key="",
            remote_addr="127.0.0.1",
            request_id=f"{next(self._numbers):024X}",
            body=FixedBody(body),
        )
        response: Response = self.sts.handle(request, query)
        assert isinstance(response.body, bytes)
        return StsAnswer(response.status, dict(response.headers), response.body)

    def make_parameters(self, **changes: str | None) -> dict[str, str]:
        """Make the parameters of a valid RPC call; None leaves one out."""
        parameters: dict[str, str | None] = {
            "Action": "AssumeRole",
            "Version": "2015-04-01",
            "Format": "JSON",
            "AccessKeyId": self.key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": f"nonce-{next(self._numbers)}",
            "Timestamp": f"{self.clock[0]:%Y-%m-%dT%H:%M:%SZ}",
            "RoleArn": ROLE_ARN,
            "RoleSessionName": "alice",
            "SecurityToken": self.token or None,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def sign(self, method: str, parameters: dict[str, str]) -> str:
        canonical = "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(parameters.items()))
        message = f"{method}&{encode('/')}&{encode(canonical)}"
        return base64.b64encode(
            hmac.new(f"{self.secret}&".encode(), message.encode(), hashlib.sha1).digest()
        ).decode()

    def call(self, shape: str = "query", *, signature: str | None = None, **changes: str | None) -> StsAnswer:
        """Call by RPC: `query` (GET), `post-query`, `form`, or `mixed`."""
        method = "GET" if shape == "query" else "POST"
        parameters = self.make_parameters(**changes)
        parameters["Signature"] = self.sign(method, parameters) if signature is None else signature
        if shape == "query":
            return self.send("GET", query=urllib.parse.urlencode(parameters))
        if shape == "post-query":
            return self.send("POST", query=urllib.parse.urlencode(parameters))
        own = (
            {"RoleArn", "RoleSessionName", "Policy", "DurationSeconds"}
            if shape == "mixed"
            else set(parameters)
        )
        form = {name: value for name, value in parameters.items() if name in own}
        rest = {name: value for name, value in parameters.items() if name not in own}
        return self.send(
            "POST",
            query=urllib.parse.urlencode(rest),
            body=urllib.parse.urlencode(form).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )

    def make_acs3(
        self,
        method: str,
        query: dict[str, str],
        *,
        body: bytes = b"",
        unsigned: tuple[str, ...] = (),
        **changes: str | None,
    ) -> dict[str, str]:
        """Make the headers of a valid V3 call; names in `changes` have underscores for hyphens."""
        headers: dict[str, str | None] = {
            "host": HOST,
            "accept": "application/json",
            "x-acs-action": "AssumeRole",
            "x-acs-version": "2015-04-01",
            "x-acs-date": f"{self.clock[0]:%Y-%m-%dT%H:%M:%SZ}",
            "x-acs-signature-nonce": f"nonce-{next(self._numbers)}",
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-acs-security-token": self.token or None,
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        present = {name: value for name, value in headers.items() if value is not None}
        names = sorted(set(present) - set(unsigned))
        canonical = "\n".join(
            [
                method,
                "/",
                "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(query.items())),
                "".join(f"{name}:{present[name]}\n" for name in names),
                ";".join(names),
                hashlib.sha256(body).hexdigest(),
            ]
        )
        message = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.new(self.secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        present["authorization"] = (
            f"ACS3-HMAC-SHA256 Credential={self.key_id},SignedHeaders={';'.join(names)},Signature={signature}"
        )
        return present

    def call_acs3(self, *, unsigned: tuple[str, ...] = (), **changes: str | None) -> StsAnswer:
        """Call as the new SDKs do: POST, all parameters in the query, no body."""
        query = {"RoleArn": ROLE_ARN, "RoleSessionName": "alice"}
        headers = self.make_acs3("POST", query, unsigned=unsigned, **changes)
        return self.send("POST", query=urllib.parse.urlencode(query), headers=headers)

    def as_session(self, credentials: dict[str, str]) -> "StsCaller":
        """Go on as the session that credentials stand for."""
        return StsCaller(
            self.sts,
            self.clock,
            credentials["AccessKeyId"],
            credentials["AccessKeySecret"],
            credentials["SecurityToken"],
            self._numbers,
        )


@pytest.fixture
def make_caller(tmp_path: Path) -> Callable[..., StsCaller]:
    """Make a caller of an STS with any options; `data_dir` may be shared between several."""

    def make(
        *,
        data_dir: Path = tmp_path,
        now: datetime = NOON,
        take_fault: Callable[[], str | None] = lambda: None,
        **options: Any,
    ) -> StsCaller:
        clock = [now]
        sts = Sts(
            StsOptions(account_id=ACCOUNT, **options),
            load_seal(data_dir),
            "cn-hangzhou",
            {KEY_ID: SECRET, "disabled-key-id": "another-secret"},
            lambda: clock[0],
            take_fault,
        )
        return StsCaller(sts, clock)

    return make


@pytest.fixture
def caller(make_caller: Callable[..., StsCaller]) -> StsCaller:
    """A caller of an STS with the usual options."""
    return make_caller()


@pytest.fixture
def make_facts() -> Callable[..., RequestFacts]:
    """Make what policies may ask of a request."""

    def make(**changes: Any) -> RequestFacts:
        return RequestFacts(**{"now": NOON, "source_ip": "127.0.0.1", "user_agent": "tests/1", **changes})

    return make


@pytest.fixture
def later() -> Callable[[StsCaller, float], None]:
    """Move a caller's clock on by seconds."""

    def move(caller: StsCaller, seconds: float) -> None:
        caller.clock[0] += timedelta(seconds=seconds)

    return move
