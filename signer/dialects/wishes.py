"""What a client's request comes to, whatever its contract: the one thing that is to be granted or done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from signer.post_form import SignatureVersion
from signer.stored_parts import NamedPart


@dataclass(frozen=True, slots=True)
class FormUnderPrefix:
    """A form for any number of files, named by the client below one prefix.

    A policy may demand only what the client is known to post.

    Attributes:
        signature: The version that the client's fields are made for.
        callback: Whether the client posts the field ``callback``.
        status_field: Whether it posts ``success_action_status=200``.
        temporary: Whether the client has a place for a security token, and may be signed for with temporary credentials.
    """

    signature: SignatureVersion
    callback: bool
    status_field: bool
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class OneFile:
    """One exact object, by a form or a PUT whose fields or headers the client sends as it is told.

    Attributes:
        metadata: What the client says of the file besides; kept where the profile declares a variable of that name.
    """

    filename: str
    content_type: str = ""
    size: int | None = None
    via: Literal["post", "put"] = "post"
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BarePut:
    """One PUT of a client that sends its Content-Type and no other header that we could name."""

    filename: str
    content_type: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class TemporaryCredentials:
    """STS credentials cut to one prefix.

    Attributes:
        held_grant: The ``grant`` that came with the client's ``dir``, to go on below it.
        seconds: How long they should live at least, for the client's own rule of when to ask again.
    """

    held_grant: str = ""
    seconds: int = 3600


@dataclass(frozen=True, slots=True)
class BeginParts:
    """An upload in parts of a size that the client does not tell."""

    filename: str
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignParts:
    """URLs for parts of an upload that was begun."""

    upload_id: str
    object_key: str
    part_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ListParts:
    """Which parts have arrived."""

    upload_id: str
    object_key: str


@dataclass(frozen=True, slots=True)
class CompleteParts:
    """The object made of its parts."""

    upload_id: str
    object_key: str
    parts: tuple[NamedPart, ...]


@dataclass(frozen=True, slots=True)
class AbortParts:
    """An upload in parts given up."""

    upload_id: str
    object_key: str


@dataclass(frozen=True, slots=True)
class SignOneRequest:
    """A URL for one request that the client composes itself, below a prefix.

    Attributes:
        operation: What OSS calls the request.
        object_key: The key that the client proposes, or one that it was given before.
    """

    operation: Literal[
        "PutObject",
        "InitiateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "ListParts",
        "AbortMultipartUpload",
    ]
    object_key: str
    content_type: str = ""
    multipart_upload_id: str = ""
    part_number: int = 0


@dataclass(frozen=True, slots=True)
class Explain:
    """Nothing: the client asks for what cannot work here, and is told why."""

    status: int
    code: str
    message: str
    hint: str = ""


Wish = (
    FormUnderPrefix
    | OneFile
    | BarePut
    | TemporaryCredentials
    | BeginParts
    | SignParts
    | ListParts
    | CompleteParts
    | AbortParts
    | SignOneRequest
    | Explain
)
