"""``[oss]`` becomes working parts: the server's own credentials, and the role that temporary ones are made of."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ossgate.access_assembly import ProblemBook
from ossgate.bucket.sts import AssumedRole
from ossgate.logs import log_event
from ossgate.oss_credentials import ChainCredentials, FileCredentials
from ossgate.problems import Problem
from ossgate.settings import LoadedSettings
from signer.credentials import Credentials
from signer.places import is_local_host

_ROLE_ARN = re.compile(r"acs:ram::[0-9]{1,32}:role/[\w.@-]{1,64}", re.ASCII)
_SESSION_NAME = re.compile(r"[A-Za-z0-9.@_-]{2,64}")
_KEYS = (("access_key_id", "OSS_ACCESS_KEY_ID"), ("access_key_secret", "OSS_ACCESS_KEY_SECRET"))


class OssAssembler:
    """Builds what `[oss]` describes."""

    def __init__(self, loaded: LoadedSettings, book: ProblemBook) -> None:
        self._loaded = loaded
        self._oss = loaded.settings.oss
        self._book = book

    def build_credentials(self) -> Callable[[], Credentials]:
        """Return what gives the credentials of the moment; what cannot work is in the book."""
        if self._oss.credentials == "chain":
            return self._build_chain()
        sound = True
        for name, variable in _KEYS:
            found = b""
            passed = False
            with self._book.at(("oss", name)):
                found = self._read_key(name, variable)
                passed = True
            if passed and not found:
                self._book.add(
                    Problem(
                        ("oss", name),
                        f"neither this nor the variable {variable} is set",
                        f"export {variable}, as for Alibaba's SDKs, or write env:NAME or file:path here",
                    )
                )
            sound = sound and bool(found)
        if not sound:
            return lambda: Credentials("", "")
        credentials = self._read_keys()
        files = self._list_files()
        return FileCredentials(self._read_keys, files, log=log_event) if files else lambda: credentials

    def build_role(self) -> AssumedRole | None:
        """Return the role of temporary credentials, if there is one; what cannot work is in the book."""
        sts = self._oss.sts
        if sts is None:
            return None
        here = ("oss", "sts")
        if not _ROLE_ARN.fullmatch(sts.role_arn):
            self._book.add(
                Problem(
                    (*here, "role_arn"), "is no role", 'write it as "acs:ram::1234567890123456:role/name"'
                )
            )
        if not _SESSION_NAME.fullmatch(sts.session_name):
            self._book.add(
                Problem((*here, "session_name"), "is no session name", "2 to 64 letters, digits and . @ - _")
            )
        region = self._oss.region.removeprefix("oss-")
        endpoint = (sts.endpoint or f"https://sts.{region}.aliyuncs.com").rstrip("/")
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            self._book.add(
                Problem((*here, "endpoint"), "is no address of STS", 'write it as "https://sts.aliyuncs.com"')
            )
        elif parts.scheme == "http" or is_local_host(parts.hostname):
            self._book.require(
                "emulator_endpoint",
                (*here, "endpoint"),
                f"{endpoint} is an emulator's",
                "use https and STS's host",
            )
        return AssumedRole(sts.role_arn, endpoint, sts.session_name, sts.duration, sts.external_id)

    def _build_chain(self) -> ChainCredentials:
        for name, _ in _KEYS:
            if getattr(self._oss, name):
                self._book.add(
                    Problem(("oss", name), 'is not used with credentials = "chain"', "leave one of them out")
                )
        if importlib.util.find_spec("alibabacloud_credentials") is None:
            self._book.add(
                Problem(
                    ("oss", "credentials"),
                    "the provider chain needs alibabacloud-credentials",
                    "pip install 'ossgate[credentials]'",
                )
            )
        return ChainCredentials(log=log_event)

    def _read_key(self, name: str, variable: str) -> bytes:
        written: str = getattr(self._oss, name)
        return (
            self._loaded.read_secret(written) if written else self._loaded.read_environment(variable).encode()
        )

    def _read_keys(self) -> Credentials:
        key_id, secret = (self._read_key(name, variable).decode() for name, variable in _KEYS)
        if not key_id or not secret:
            raise ValueError("an empty key")
        token = "" if self._oss.access_key_id else self._loaded.read_environment("OSS_SESSION_TOKEN")
        return Credentials(key_id, secret, token or None)

    def _list_files(self) -> list[Path]:
        written = (getattr(self._oss, name) for name, _ in _KEYS)
        return [
            self._loaded.resolve_path(one.removeprefix("file:")) for one in written if one.startswith("file:")
        ]
