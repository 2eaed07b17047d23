"""What is handed to a contract once its client's wish is granted: everything that any of them may write down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signer.credentials import Credentials


@dataclass(frozen=True, slots=True)
class HandedForm:
    """A signed form for any key below ``prefix``.

    Attributes:
        host: Where it is posted, without a slash at its end.
        prefix: What keys begin with; ends with a slash.
        fields: The signed fields by the names that OSS reads, the key not among them.
        callback_param: Also among the fields when the policy demands it.
        expires_at: When the policy ends, aware.
    """

    host: str
    prefix: str
    fields: Mapping[str, str] = field(repr=False)
    callback_param: str
    expires_at: datetime

    @property
    def expires(self) -> int:
        """When the policy ends, in Unix seconds."""
        return int(self.expires_at.timestamp())


@dataclass(frozen=True, slots=True)
class HandedFile:
    """One request for one exact object: ``fields`` for a form, ``headers`` for a PUT."""

    method: str
    url: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    object_key: str
    upload_id: str
    seconds: int
    """How long it lives."""


@dataclass(frozen=True, slots=True)
class HandedCredentials:
    """Temporary credentials for any key below ``prefix``, and what goes with them.

    Attributes:
        grant: What the client sends for fresh credentials of the same prefix; whoever holds it may.
        callback: OSS's callback parameter, decoded: ``callbackUrl``, ``callbackBody`` and so on.
        callback_variables: OSS's custom variables; none today, the ticket carries them.
        is_cname: Whether ``endpoint`` is the bucket's own domain.
    """

    credentials: Credentials
    prefix: str
    grant: str = field(repr=False)
    bucket: str
    region: str
    endpoint: str
    callback: Mapping[str, Any] = field(repr=False)
    expires_at: datetime
    now: datetime
    callback_variables: Mapping[str, str] = field(default_factory=dict)
    is_cname: bool = False

    @property
    def seconds(self) -> int:
        """How long they live."""
        return int((self.expires_at - self.now).total_seconds())


@dataclass(frozen=True, slots=True)
class HandedUpload:
    """An upload in parts that was begun."""

    upload_id: str
    object_key: str
    bucket: str


@dataclass(frozen=True, slots=True)
class HandedParts:
    """URLs of parts by number, in the order in which they were asked for."""

    urls: Mapping[int, str] = field(repr=False)
    seconds: int


@dataclass(frozen=True, slots=True)
class FoundPart:
    """A part that the bucket holds; the ETag without quotes."""

    part_number: int
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class CompletedUpload:
    """An object made of its parts, and its address."""

    object_key: str
    bucket: str
    location: str


@dataclass(frozen=True, slots=True)
class HandedUrl:
    """One signed URL, and the key that it is for."""

    url: str = field(repr=False)
    object_key: str
    content_type: str = ""
