"""A header with the user's name, set by a reverse proxy that has asked who they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ossgate.access.callers import PROXY, Caller
from ossgate.access.csrf import require_own_page
from ossgate.access.denied import credentials_refused
from ossgate.access.headers import Environ, read_peer
from ossgate.access.subjects import read_subject

UNIX_SOCKET = "unix"
"""Stands for every peer of a Unix socket, which has no address."""
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_CREDENTIAL_HEADERS = {"authorization", "cookie", "host", "origin", "content-type", "content-length"}


class TrustedProxy:
    """Believes a header from the listed peers, and from nobody else.

    Raises:
        ValueError: From the constructor: no such header, or no address or network; the message says which.
    """

    def __init__(self, header: str, peers: Sequence[str]) -> None:
        if not _HEADER.fullmatch(header) or header.lower() in _CREDENTIAL_HEADERS:
            raise ValueError(f"{header!r} cannot be the header of a proxy, such as X-User")
        self._variable = "HTTP_" + header.upper().replace("-", "_")
        self._header = header
        self._unix = UNIX_SOCKET in peers
        self._networks = tuple(_read_network(peer) for peer in peers if peer != UNIX_SOCKET)

    def identify(self, environ: Environ, address: str) -> Caller | None:
        """Return whom a trusted proxy names, or nothing.

        Raises:
            AccessDenied: The proxy names two, or nobody that can be named; or a foreign page asks.
        """
        value = environ.get(self._variable)
        if not value or not self._trusts(read_peer(environ)):
            return None
        # Servers join repeated headers with a comma: one of the two may be the client's own.
        if "," in value:
            raise credentials_refused(
                "proxy_header_invalid",
                f"the header {self._header} names more than one",
                "let the proxy replace the header that clients send, not add to it",
            )
        subject = read_subject(
            _decode(value), code="proxy_header_invalid", source=f"the header {self._header}"
        )
        require_own_page(environ, also_without_browser=True)
        return Caller(PROXY, subject, address, subject=subject)

    def _trusts(self, peer: str) -> bool:
        if not peer:
            return self._unix
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _decode(value: str) -> str | None:
    # WSGI hands headers over as Latin-1; proxies write UTF-8.
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return None


def _read_network(written: str) -> IPv4Network | IPv6Network:
    network = ip_network(written)
    if network.prefixlen == 0:
        raise ValueError(f"{written} is every address there is, so anybody could set the header")
    return network
