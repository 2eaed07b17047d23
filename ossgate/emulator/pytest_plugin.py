"""Fixtures for the tests of those who use OSS: a running emulator, cleared between tests.

Loaded by pytest wherever ossgate is installed, so it imports nothing of the emulator before a fixture is asked for.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from ossgate.emulator.server import Emulator

_KEPT_SECONDS = 30


class OssEmulator:
    """A running emulator, as tests see it."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator
        options = emulator.options
        self.url = emulator.url
        self.bucket = options.bucket
        self.bucket_url = emulator.bucket_url
        self.region = options.region
        self.access_key_id = options.access_key_id
        self.access_key_secret = options.access_key_secret
        self.public_key_url = emulator.public_key_url
        self.public_key_pem = emulator.public_key_pem

    def fault(self, fault: str | Mapping[str, Any], **when: Any) -> str:
        """Have something go wrong; tell the fault's ID.

        Args:
            fault: A short form such as `callback.delay=2`, or an object as the admin API takes it.
            when: Further members: `times`, `nth`, `key`, `operation`, `probability`, `seed` …

        Raises:
            FaultRefused: It is no fault that can be played.
        """
        from ossgate.emulator.fault_rules import parse_short

        document = parse_short(fault) if isinstance(fault, str) else dict(fault)
        return self._emulator.add_fault({**document, **when})

    def events(self, event: str | None = None) -> list[dict[str, Any]]:
        """Tell what was asked, refused and called back, oldest first; or the events of one name alone."""
        return [entry for entry in self._emulator.list_events() if event in (None, entry["event"])]

    def list_keys(self, prefix: str = "") -> list[str]:
        """Tell the keys in the bucket, at most a thousand."""
        document = json.loads(self._ask("objects", prefix=prefix, limit="1000"))
        return [entry["key"] for entry in document["objects"]]

    def read_object(self, object_key: str) -> bytes:
        """Tell an object's bytes, without any signature.

        Raises:
            HTTPError: There is no such object.
        """
        return self._ask("object", key=object_key)

    def clear(self) -> None:
        """Forget objects, uploads, faults and events."""
        self._emulator.clear()

    def _ask(self, route: str, **query: str) -> bytes:
        target = f"{self.url}/_emulator/{route}?{urlencode({'bucket': self.bucket, **query})}"
        with urlopen(target, timeout=_KEPT_SECONDS) as answer:  # noqa: S310  # the emulator's own URL
            body: bytes = answer.read()
            return body


@pytest.fixture(scope="session")
def oss_emulator_options() -> dict[str, Any]:
    """What the emulator is started with, by the names of `EmulatorOptions`: override it in a conftest.py."""
    return {}


@pytest.fixture(scope="session")
def oss_emulator(
    tmp_path_factory: pytest.TempPathFactory, oss_emulator_options: dict[str, Any]
) -> Iterator[OssEmulator]:
    """Run an emulator on a free port for all tests; `oss_bucket` gives it cleared."""
    from ossgate.emulator import Emulator, EmulatorOptions

    defaults: dict[str, Any] = {
        "data_dir": tmp_path_factory.mktemp("oss"),
        "access_key_id": "test-access-key-id",
        "access_key_secret": "test-access-key-secret",
        "bucket": "test-bucket",
    }
    with Emulator(EmulatorOptions(**{**defaults, **oss_emulator_options})) as emulator:
        yield OssEmulator(emulator)


@pytest.fixture
def oss_bucket(oss_emulator: OssEmulator) -> OssEmulator:
    """Give the emulator without what earlier tests have left: no object, no fault, no event."""
    oss_emulator.clear()
    return oss_emulator
