"""Server-side request forgery: every spelling of an address that is not public is refused before anything is connected."""

import socket
import threading

import pytest

from ossgate.delivery.addresses import choose_addresses, is_private_literal, is_public, resolve_host
from ossgate.delivery.errors import DeliveryFailed

PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2001:0:7f00:1::",
    "::ffff:0:127.0.0.1",
    "3fff::1",
    "nonsense",
    "",
]
PUBLIC = ["8.8.8.8", "47.96.1.2", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_address_is_refused(address):
    """An address of this machine, of a private network, of metadata services or of no host at all is never posted to."""
    assert not is_public(address)
    with pytest.raises(DeliveryFailed, match="is not public"):
        choose_addresses(
            "hooks.example.com", 443, allow_private=False, resolve=lambda host, port: [address], timeout=5
        )


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_passes(address):
    """An address of the internet passes, also wrapped in IPv6."""
    assert is_public(address)
    assert choose_addresses(
        "hooks.example.com", 443, allow_private=False, resolve=lambda host, port: [address], timeout=5
    ) == [address]


def test_one_private_address_refuses_all():
    """A name with a public address and a private one is refused: which is connected to would be chance."""
    with pytest.raises(DeliveryFailed, match=r"10\.0\.0\.1"):
        choose_addresses(
            "hooks.example.com",
            443,
            allow_private=False,
            resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"],
            timeout=5,
        )


@pytest.mark.parametrize(
    "host",
    ["localhost", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "::1", "127.0.0.1"],
)
def test_spellings_of_loopback_are_refused(host):
    """Whatever spelling of this machine the system understands, its addresses are judged, not its letters."""
    with pytest.raises(DeliveryFailed, match=r"is not public|cannot be resolved"):
        choose_addresses(host, 80, allow_private=False, resolve=resolve_host, timeout=5)
    assert is_private_literal(host)


@pytest.mark.parametrize("host", ["hooks.example.com", "8.8.8.8", "example.com.", "2400:3200::1"])
def test_names_and_public_addresses_are_no_private_literals(host):
    """Settings are refused for what is written in them, not for what a name may stand for later."""
    assert not is_private_literal(host)


def test_allow_private_lets_pass():
    """Who says so may deliver inside the own network."""
    assert choose_addresses(
        "hooks.internal", 80, allow_private=True, resolve=lambda host, port: ["10.0.0.5"], timeout=5
    ) == ["10.0.0.5"]


def test_name_without_address():
    """A name that stands for nothing, or cannot be asked for, is a failed attempt like any other."""

    def fail(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for resolve, message in (
        (lambda host, port: [], "no address"),
        (fail, "cannot be resolved: name or service"),
    ):
        with pytest.raises(DeliveryFailed, match=message):
            choose_addresses("hooks.example.com", 443, allow_private=False, resolve=resolve, timeout=5)


def test_resolver_that_hangs():
    """The system's resolver knows no timeout; ours ends the attempt all the same."""
    release = threading.Event()

    def hang(host, port):
        release.wait(30)
        return []

    with pytest.raises(DeliveryFailed, match=r"not resolved within 0\.05 seconds"):
        choose_addresses("hooks.example.com", 443, allow_private=False, resolve=hang, timeout=0.05)
    release.set()
