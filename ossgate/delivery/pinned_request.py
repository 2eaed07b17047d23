"""One HTTP request to one address that was judged before, within one deadline for all of it.

The connection is made to the address; the host's name goes into ``Host`` and TLS (SNI, and what the certificate is checked against).
No proxy of the environment, no redirect, no second try, no connection kept: each attempt is judged anew.
"""

import contextlib
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from ossgate.delivery.errors import DeliveryFailed, SinkInvalid

MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart; ``host`` is in ASCII, ``path`` carries the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """Return the host as HTTP names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``body`` is what could be read of it."""

    status: int
    headers: dict[str, str]
    body: bytes


def parse_target(url: str) -> Target:
    """Take a URL apart.

    Raises:
        SinkInvalid: It is none that can be posted to.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (
            (parts.hostname or "").encode("idna" if ":" not in (parts.hostname or "") else "ascii").decode()
        )
    except (ValueError, UnicodeError):
        raise SinkInvalid("is no URL") from None
    if parts.scheme not in ("https", "http") or not host:
        raise SinkInvalid("is no URL that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise SinkInvalid("holds a user name or password", hint="receivers verify the signature instead")
    if not url.isascii() or any(character <= " " for character in url):
        path_ok = parts.path.isascii() and parts.query.isascii() and " " not in parts.path + parts.query
        if not path_ok:
            raise SinkInvalid("has characters that a URL cannot have", hint="percent-encode them")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


class Deadline:
    """Cuts a connection off when the time is up, whatever it is just doing.

    Timeouts of a socket count from one byte to the next; a receiver that sends a byte now and then would hold a thread for
    hours.
    """

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._sockets:
                each.close()
            self._sockets.clear()

    def watch(self, connection: socket.socket) -> None:
        """Watch a socket; TLS takes its descriptor over later, so a duplicate is kept."""
        with self._lock:
            self._sockets.append(connection.dup())
        if self.has_passed:
            self._cut()

    def _cut(self) -> None:
        self.has_passed = True
        with self._lock:
            for each in self._sockets:
                # It may have ended by itself.
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


class _WatchedHTTP(HTTPConnection):
    deadline: Deadline

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self.deadline.watch(connection)
        return connection


class _WatchedHTTPS(HTTPSConnection):
    deadline: Deadline

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self.deadline.watch(connection)
        return connection


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, to wait for more bytes, and for everything together."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0


def post(
    target: Target,
    addresses: list[str],
    *,
    headers: dict[str, str],
    body: bytes,
    limits: Limits,
    tls: ssl.SSLContext | None,
) -> Answer:
    """Post to the first of the addresses that can be connected to.

    Raises:
        DeliveryFailed: There was no answer, or none in time.
    """
    with Deadline(limits.total) as deadline:
        try:
            connection = _connect(target, addresses, limits, tls, deadline)
            try:
                return _exchange(connection, target, headers, body, limits, deadline)
            finally:
                connection.close()
        except (OSError, HTTPError, http.client.HTTPException) as error:
            if deadline.has_passed:
                raise DeliveryFailed(f"no answer within {limits.total:g} seconds", is_slow=False) from error
            raise DeliveryFailed(_describe(error)) from error


def _connect(
    target: Target, addresses: list[str], limits: Limits, tls: ssl.SSLContext | None, deadline: Deadline
) -> HTTPConnection:
    last: Exception | None = None
    for address in addresses:
        connection: _WatchedHTTP | _WatchedHTTPS
        if target.scheme == "https":
            connection = _WatchedHTTPS(
                address, target.port, timeout=limits.connect, server_hostname=target.host, ssl_context=tls
            )
        else:
            connection = _WatchedHTTP(address, target.port, timeout=limits.connect)
        connection.deadline = deadline
        try:
            connection.connect()
        except (OSError, HTTPError) as error:
            connection.close()
            last = error
            if deadline.has_passed:
                break
        else:
            return connection
    assert last is not None
    raise last


def _exchange(
    connection: HTTPConnection,
    target: Target,
    headers: dict[str, str],
    body: bytes,
    limits: Limits,
    deadline: Deadline,
) -> Answer:
    connection.timeout = limits.read
    if connection.sock is not None:
        connection.sock.settimeout(limits.read)
    connection.request(
        "POST",
        target.path,
        body,
        {"Host": target.host_header, "Connection": "close", **headers},
        preload_content=False,
        decode_content=False,
    )
    response = connection.getresponse()
    if deadline.has_passed:
        # The library takes a head that was cut off for a whole one.
        response.close()
        raise TimeoutError
    try:
        content = response.read(MAX_ANSWER_BYTES, decode_content=False)
    except (OSError, HTTPError, http.client.HTTPException):
        # The status is what counts, and it is here; the rest is for people.
        content = b""
    finally:
        response.close()
    return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, content)


def _describe(error: Exception) -> str:
    cause: BaseException = error.__cause__ or error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {cause.verify_message[:150]}"
    text = getattr(cause, "strerror", None) or type(cause).__name__
    return f"cannot be reached: {str(text)[:150].lower()}"
