"""The callback request and the judgement of its answer.

Each URL once, in order, five seconds each, no redirects; the first full success ends it. Headers and their order
as captured. Sources: "Callback", https://help.aliyun.com/zh/oss/developer-reference/callback ;
"HTTP status code 203", https://www.alibabacloud.com/help/en/oss/user-guide/http-status-code-203
"""

import base64
import hashlib
import http.client
import io
import json
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from ossgate.emulator.callback_definition import CallbackDefinition, CallbackUrl
from ossgate.emulator.callback_key import CallbackSigner
from ossgate.emulator.errors import (
    CALLBACK_FAILED_NOT_JSON,
    CALLBACK_FAILED_STATUS,
    CALLBACK_FAILED_TIMEOUT,
)

MAX_ANSWER_BYTES = 1024 * 1024
# Account numbers have sixteen digits; nobody checks this one.
ACCOUNT_ID = "1000000000000001"


@dataclass(frozen=True, slots=True)
class CallbackResult:
    """How a callback ended.

    Args:
        answer: The receiver's body, when everything went well.
        message: What OSS tells the uploader otherwise.
    """

    answer: bytes | None = None
    message: str = ""
    ec: str = ""

    @property
    def succeeded(self) -> bool:
        """Tell whether the receiver's answer is passed on."""
        return self.answer is not None


UNREACHABLE = CallbackResult(
    message="Error status : -1.OSS can not connect to your callbackUrl, please check it.",
    ec=CALLBACK_FAILED_STATUS,
)


def fail_with_status(status: int) -> CallbackResult:
    """Tell of a receiver that answered, but not with 200."""
    return CallbackResult(message=f"Error status : {status}.", ec=CALLBACK_FAILED_STATUS)


def fail_late(url: CallbackUrl, timeout: float) -> CallbackResult:
    """Tell of a receiver that did not answer in time."""
    spent = round(timeout * 1000)
    message = (
        f"Error status : -1 {url.address}:{url.port} reply timeout, cost:{spent}ms, "
        f"timeout:{spent}ms (err -4, errno115)"
    )
    return CallbackResult(message=message, ec=CALLBACK_FAILED_TIMEOUT)


@dataclass(frozen=True, slots=True)
class CallbackSender:
    """Sends callbacks.

    Args:
        public_key_url: Where receivers find the key; goes out in `x-oss-pub-key-url`.
        timeout: Seconds for one URL, from the first packet to the last.
        ca_file: Certificates for https receivers; None means the system's.
    """

    key: CallbackSigner
    public_key_url: str
    timeout: float = 5.0
    ca_file: Path | None = None

    def send(
        self, definition: CallbackDefinition, body: bytes, *, bucket: str, request_id: str
    ) -> tuple[CallbackResult, CallbackUrl]:
        """Try the URLs in turn; tell the first success, else the last failure, and the URL it came from."""
        result, url = UNREACHABLE, definition.urls[0]
        for url in definition.urls:
            headers = self._build_headers(definition, url, body, bucket=bucket, request_id=request_id)
            result = self._try_url(definition, url, headers, body)
            if result.succeeded:
                break
        return result, url

    def _build_headers(
        self, definition: CallbackDefinition, url: CallbackUrl, body: bytes, *, bucket: str, request_id: str
    ) -> list[tuple[str, str]]:
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        additional = definition.additional_headers
        return [
            ("Host", definition.host or url.host_header),
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
            ("Authorization", self.key.sign(url.target, body)),
            ("Content-MD5", base64.b64encode(digest).decode()),
            ("Content-Type", definition.body_type),
            ("Date", formatdate(usegmt=True)),
            ("User-Agent", "aliyun-oss-callback"),
            ("x-oss-additional-headers", ";".join(name for name, _ in additional)),
            ("x-oss-bucket", bucket),
            ("x-oss-owner", ACCOUNT_ID),
            ("x-oss-pub-key-url", base64.b64encode(self.public_key_url.encode()).decode()),
            ("x-oss-request-id", request_id),
            ("x-oss-requester", ACCOUNT_ID),
            ("x-oss-signature-version", "1.0"),
            ("x-oss-tag", "CALLBACK"),
            ("eagleeye-rpcid", "0.1"),
            *additional,
        ]

    def _try_url(
        self,
        definition: CallbackDefinition,
        url: CallbackUrl,
        headers: Sequence[tuple[str, str]],
        body: bytes,
    ) -> CallbackResult:
        deadline = time.monotonic() + self.timeout
        head = f"POST {url.target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers)
        try:
            with (
                socket.create_connection((url.address, url.port), timeout=self.timeout) as plain,
                self._secure(plain, definition, url) as connection,
            ):
                connection.settimeout(_time_left(deadline))
                connection.sendall(head.encode() + b"\r\n" + body)
                return _read_answer(connection, deadline)
        except TimeoutError:
            return fail_late(url, self.timeout)
        except (ConnectionError, ssl.SSLError, http.client.HTTPException):
            # Nothing listens, the handshake fails, or what answers is no HTTP: OSS's own proxy reports 502.
            return fail_with_status(502)
        except OSError:
            return UNREACHABLE

    def _secure(
        self, plain: socket.socket, definition: CallbackDefinition, url: CallbackUrl
    ) -> socket.socket:
        if not url.secure:
            return plain
        context = ssl.create_default_context(cafile=self.ca_file)
        # Without SNI the library cannot compare the name; the chain is still checked.
        context.check_hostname = definition.server_name_indication
        name = url.host if definition.server_name_indication else None
        return context.wrap_socket(plain, server_hostname=name)


def _read_answer(connection: socket.socket, deadline: float) -> CallbackResult:
    with http.client.HTTPResponse(_AnswerSource(connection, deadline), method="POST") as answer:  # type: ignore[arg-type]
        answer.begin()
        if answer.status != 200:
            return fail_with_status(answer.status)
        length = answer.getheader("Content-Length")
        if length is None or answer.chunked:
            return _fail_with_400("User server missing content-length.")
        if not (length.isascii() and length.isdigit()) or int(length) == 0:
            # Spelt as OSS spells it.
            return _fail_with_400("User server return invalid conent-length value.")
        if int(length) > MAX_ANSWER_BYTES:
            return _fail_with_400("User server return too long content-length value.")
        body = answer.read()
    try:
        json.loads(body.decode())
    except (ValueError, RecursionError):
        return CallbackResult(message="Response body is not valid json format.", ec=CALLBACK_FAILED_NOT_JSON)
    return CallbackResult(answer=body)


def _fail_with_400(reason: str) -> CallbackResult:
    return CallbackResult(message=f"Error Status : 400.{reason}", ec=CALLBACK_FAILED_STATUS)


def _time_left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _AnswerSource:
    """What `HTTPResponse` takes for a socket: every read ends by the deadline, however slowly bytes drip."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._reader = _DeadlineReader(connection, deadline)

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return io.BufferedReader(self._reader)


class _DeadlineReader(io.RawIOBase):
    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(_time_left(self._deadline))
        return self._connection.recv_into(buffer)
