"""Where a webhook may go: every address that a name stands for must be public, unless private ones were allowed.

A server that posts to URLs can be pointed at what only it can reach (server-side request forgery,
https://owasp.org/www-community/attacks/Server_Side_Request_Forgery). The name is resolved once, every address is judged, and the
connection goes to a judged address, so that a name which answers differently a moment later gains nothing.
"""

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from ossgate.delivery.errors import DeliveryFailed

Resolve = Callable[[str, int], list[str]]
# Addresses of IPv4 behind a translator (RFC 6052), which judges nothing itself.
_TRANSLATED = IPv6Network("64:ff9b::/96")
# Python's own tables hold these in newer versions alone, or take them for public.
_NEVER_PUBLIC = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("3fff::/20"),
)
_COMPATIBLE = IPv6Network("::/96")


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet, with whatever IPv4 address it wraps.

    A scope (``fe80::1%eth0``) is never public.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return all(_is_public(each) for each in _unwrap(found))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    is_site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or is_site_local
        or any(address in network for network in _NEVER_PUBLIC)
    )


def _unwrap(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    if isinstance(address, IPv4Address):
        return [address]
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _TRANSLATED:
        return [last]
    if address in _COMPATIBLE:
        return [address, last]
    if address.sixtofour is not None:
        return [address, address.sixtofour]
    if address.teredo is not None:
        return [address, *address.teredo]
    return [address]


def is_private_literal(host: str) -> bool:
    """Tell whether a host is written as an address that is not public, in any spelling that the system accepts."""
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        pass
    try:
        # Also 2130706433, 0x7f.1 and 0177.0.0.1, which are no names.
        return not is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except OSError:
        return host.rstrip(".").lower() == "localhost"


def choose_addresses(
    host: str, port: int, *, allow_private: bool, resolve: Resolve, timeout: float
) -> list[str]:
    """Return the addresses of a host, all of them judged.

    Raises:
        DeliveryFailed: The name has none, or one of them is not public.
    """
    addresses = _resolve_in_time(host, port, resolve, timeout)
    if not addresses:
        raise DeliveryFailed("the host's name has no address")
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise DeliveryFailed(
                    f"refused: the host stands for {address}, which is not public; allow_private lets it pass"
                )
    return addresses


def resolve_host(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _resolve_in_time(host: str, port: int, resolve: Resolve, timeout: float) -> list[str]:
    """Resolve on a thread of its own, since the system's resolver knows no timeout."""
    found: list[str] = []
    failed: list[str] = []

    def ask() -> None:
        try:
            found.extend(resolve(host, port))
        except (OSError, UnicodeError) as error:
            failed.append(getattr(error, "strerror", None) or type(error).__name__)

    thread = threading.Thread(target=ask, name="ossgate-resolve", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise DeliveryFailed(f"the host's name was not resolved within {timeout:g} seconds")
    if failed:
        raise DeliveryFailed(f"the host's name cannot be resolved: {failed[0].lower()}")
    return found
