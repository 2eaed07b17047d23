"""Profiles: the named limits that grants are issued under."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from signer.callback_param import CallbackDefinition
from signer.conditions import MAX_FILE_SIZE, Condition, pin
from signer.errors import (
    ConfigurationError,
    ContentTypeNotAllowed,
    SizeOverLimit,
    SizeUnderLimit,
    ViaNotAllowed,
    quote,
)
from signer.facts import VIAS, Facts, Via, encode_facts
from signer.file_names import MAX_NAME_BYTES
from signer.object_keys import KeyTemplate
from signer.places import BucketPlace
from signer.post_form import SignatureVersion
from signer.sizes import format_size
from signer.thumbnails import Shown, can_have_thumbnails, check_thumbnails
from signer.ticket import measure_ticket
from signer.variables import MAX_TOGETHER_BYTES, VariableRule

MAX_SUBJECT_BYTES = 128
MAX_ISSUER_BYTES = 128
"""A way to ask and who used it: ``api_key:`` and the key's name, ``session:`` and the subject."""
MAX_DIALECT_BYTES = 32
LONGEST_PROOF = 50
"""Characters that a prefix grant adds to a key: its id, a dot, its mac and a slash."""
LATEST_TIME = 9_999_999_999
SLOWEST_CLIENT = 128 * 1024
"""Bytes per second of the slowest client that an upload must survive; OSS judges a form when all of it has arrived."""
BASE_LIFETIME = 300
MAX_PARTS = 10_000
MAX_MULTIPART_SIZE = MAX_PARTS * MAX_FILE_SIZE
"""48.8 TB: as many parts as OSS takes, each as large as it takes."""
MULTIPART_LIFETIME = 24 * 3600
"""Seconds that a multipart grant lives at least: its parts are signed on demand, and a paused upload may wait for the morning."""
MAX_LIFETIME = 7 * 24 * 3600
MAX_KEEP_DAYS = 36_500
UNLIMITED_WAYS: frozenset[Via] = frozenset({"multipart", "sts"})
"""Ways that may cut a file into parts."""
ACLS = ("default", "private", "public-read", "public-read-write")
STORAGE_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
MAX_MEDIA_TYPE_BYTES = 127
_ONE_MEDIA_TYPE = re.compile(r"[a-z0-9!#&^_.+-]+/[a-z0-9!#&^_.+-]+")
_MEDIA_TYPE = re.compile(r"(\*/\*|[a-z0-9!#&^_.+-]+/(\*|[a-z0-9!#&^_.+-]+))")


@dataclass(frozen=True, slots=True)
class Quota:
    """What one caller may have under one profile: uploads on their way, and bytes promised and arrived."""

    pending_uploads: int | None
    bytes: int | None
    period: Literal["day", "ever"]


@dataclass(frozen=True)
class Profile:
    """The limits of one kind of upload, checked when they are made.

    Raises:
        ConfigurationError: From the constructor, with the fix.
    """

    name: str
    place: BucketPlace
    object_key: KeyTemplate
    callback: CallbackDefinition
    allow: tuple[str, ...] = ()
    title: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    content_types: tuple[str, ...] = ("*/*",)
    min_size: int = 1
    max_size: int = 20 * 1024**2
    expires_in: int = 0
    via: tuple[Via, ...] = ("post", "put", "multipart")
    put_callback: Literal["header", "query"] = "header"
    key_prefix: KeyTemplate | None = None
    """What stands in front of a prefix grant's own segment; without it there are none."""
    prefix_callback: CallbackDefinition | None = None
    """As the callback, its body a form: a client that chooses its keys may choose some that JSON escapes."""
    signature: SignatureVersion = "v4"
    storage_class: str = "Standard"
    object_acl: str = "default"
    disposition: Literal["attachment", "inline"] = "attachment"
    keep_days: int = 0
    """After so many days an object is to be gone; nothing keeps it for ever."""
    thumbnails: Mapping[str, str] = field(default_factory=dict)
    """What ``x-oss-process`` says in links to smaller pictures of an image, by their names."""
    variables: Mapping[str, VariableRule] = field(default_factory=dict)
    quota: Quota | None = None
    reply: Mapping[str, Any] = field(default_factory=dict)
    handler: str = ""
    verify_bucket: bool = True

    def __post_init__(self) -> None:
        """Refuse limits that no upload could meet."""
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(f"{quote(self.name)} is no profile name", hint="use a-z, 0-9, _ and -")
        for content_type in self.content_types:
            if not _MEDIA_TYPE.fullmatch(content_type):
                raise ConfigurationError(
                    f"{quote(content_type)} is no media type", hint='write "image/jpeg", "image/*" or "*/*"'
                )
        if not self.content_types:
            raise ConfigurationError(
                "no content type is allowed", hint='write content_types = ["*/*"] for all'
            )
        self._check_ways()
        if not 0 <= self.min_size <= self.max_size <= MAX_MULTIPART_SIZE:
            raise ConfigurationError(
                f"no file has {self.min_size} to {self.max_size} bytes",
                hint="OSS takes at most 5 GB in one form or PUT, 48.8 TB in parts; min_size may not be above max_size",
            )
        if self.max_size > MAX_FILE_SIZE and not UNLIMITED_WAYS & set(self.via):
            raise ConfigurationError(
                f"files of {format_size(self.max_size)} can only be sent in parts",
                hint='add "multipart" to via, or lower max_size to 5 GB',
            )
        if self.object_acl not in ACLS:
            raise ConfigurationError(
                f"OSS knows no object ACL {quote(self.object_acl)}", hint=", ".join(ACLS)
            )
        if self.storage_class not in STORAGE_CLASSES:
            raise ConfigurationError(
                f"OSS knows no storage class {quote(self.storage_class)}", hint=", ".join(STORAGE_CLASSES)
            )
        if self.expires_in < 0 or self.expires_in > MAX_LIFETIME:
            raise ConfigurationError(
                f"a policy cannot live {self.expires_in} seconds", hint="at most seven days, 604800"
            )
        if not 0 <= self.keep_days <= MAX_KEEP_DAYS:
            raise ConfigurationError(
                f"objects cannot be kept for {self.keep_days} days",
                hint=f"1 to {MAX_KEEP_DAYS}; 0 keeps them for ever",
            )
        check_thumbnails(self.thumbnails)
        self._check_longest_callback()

    @cached_property
    def lifetime(self) -> int:
        """Seconds that a grant lives: as set, or five minutes and the time of the largest file at 128 KiB/s."""
        return self.expires_in or BASE_LIFETIME + self.limit_for("post") // SLOWEST_CLIENT

    @cached_property
    def fixed_fields(self) -> Mapping[str, str]:
        """What each form of this profile says alike."""
        return {
            "success_action_status": "200",
            "x-oss-object-acl": self.object_acl,
            "x-oss-forbid-overwrite": "true",
            "x-oss-storage-class": self.storage_class,
        }

    @cached_property
    def fixed_conditions(self) -> tuple[Condition, ...]:
        """What each policy of this profile demands alike: those fields, each with its value."""
        return tuple(pin(self.fixed_fields))

    def lifetime_for(self, via: Via) -> int:
        """Return how many seconds a grant of this way lives; one in parts at least a day, unless the profile says how long."""
        if via != "multipart" or self.expires_in:
            return self.lifetime
        return min(max(MULTIPART_LIFETIME, BASE_LIFETIME + self.max_size // SLOWEST_CLIENT), MAX_LIFETIME)

    def limit_for(self, via: Via) -> int:
        """Return how many bytes may come in this way."""
        return self.max_size if via in UNLIMITED_WAYS else min(self.max_size, MAX_FILE_SIZE)

    def check_via(self, via: Via) -> None:
        """Refuse a way of upload that the profile does not list.

        Raises:
            ViaNotAllowed: Answered with 422.
        """
        if via not in self.via:
            raise ViaNotAllowed(
                f"uploads of this profile do not come by {via}",
                hint="it takes " + ", ".join(self.via),
            )

    def check_size(self, size: int, via: Via = "post") -> None:
        """Refuse a size outside the profile's range, or outside what OSS takes in this way.

        Raises:
            SizeOverLimit: Answered with 413.
            SizeUnderLimit: Answered with 422.
        """
        most = self.limit_for(via)
        if size > most:
            has, limit = format_size(size), format_size(most)
            if has == limit:
                has, limit = f"{size} bytes", f"{most}"
            raise SizeOverLimit(
                f"the file has {has} and the limit is {limit}",
                hint="choose a smaller file" if size > self.max_size else 'send it in parts, via "multipart"',
            )
        if size < self.min_size:
            raise SizeUnderLimit(
                "the file is empty" if size == 0 else f"the file has only {format_size(size)}",
                hint=f"choose one with at least {format_size(self.min_size)}",
            )

    def list_thumbnails(self, shown: Shown) -> Iterator[tuple[str, str]]:
        """Give name and ``x-oss-process`` of each thumbnail that OSS can make of an object."""
        if self.thumbnails and can_have_thumbnails(shown):
            yield from self.thumbnails.items()

    def check_content_type(self, content_type: str) -> str:
        """Return a media type in lower case and without parameters, once the profile accepts it.

        Raises:
            ContentTypeNotAllowed: Not in the profile's list, or no media type at all; answered with 415.
        """
        # What most clients send; a pattern of the list, sent as a type, is none.
        if content_type in self.content_types and "*" not in content_type:
            return content_type
        media_type = content_type.partition(";")[0].strip().lower()
        if not _ONE_MEDIA_TYPE.fullmatch(media_type) or len(media_type) > MAX_MEDIA_TYPE_BYTES:
            raise ContentTypeNotAllowed(
                f"{quote(content_type)} is no media type", hint="send one such as image/jpeg, or leave it out"
            )
        if not accepts_content_type(self.content_types, media_type):
            raise ContentTypeNotAllowed(
                f"files of type {media_type} are not accepted here",
                hint="accepted are " + ", ".join(self.content_types),
            )
        return media_type

    def _check_ways(self) -> None:
        unknown = [via for via in self.via if via not in VIAS]
        if unknown or not self.via:
            raise ConfigurationError(
                f"there is no way of upload {quote(unknown[0])}"
                if unknown
                else "no way of upload is allowed",
                hint="via lists some of " + ", ".join(VIAS),
            )
        if self.put_callback not in ("header", "query"):
            raise ConfigurationError(
                f"a PUT carries its callback in no {quote(self.put_callback)}",
                hint='put_callback is "header" or "query"',
            )

        if self.key_prefix is not None and self.prefix_callback is None:
            raise ConfigurationError(
                "a key prefix needs a callback whose body is a form",
                hint="leave key_prefix out, or build both",
            )
        if "sts" in self.via and self.object_acl != "default":
            raise ConfigurationError(
                "temporary credentials cannot be made to set an object's ACL",
                hint='leave object_acl at "default" and set the bucket\'s, or take "sts" out of via',
            )
        if "sts" in self.via and any(
            "*" in template.written for template in (self.object_key, self.key_prefix) if template
        ):
            raise ConfigurationError(
                "an object key with a * cannot be one of temporary credentials",
                hint="a session policy would read it as any text; leave it out",
            )

    def _check_longest_callback(self) -> None:
        room = min(
            definition.longest_ticket() for definition in (self.callback, self.prefix_callback) if definition
        )
        if self._longest_ticket() > room:
            raise ConfigurationError(
                "with the longest names and variables the callback would pass OSS's 5 KB",
                hint="shorten the callback URLs, the callback body or the object key",
            )

    def _longest_prefix(self) -> int:
        return self.key_prefix.longest + LONGEST_PROOF if self.key_prefix else 0

    def _longest_ticket(self) -> int:
        # Every fact at its longest. JSON doubles quotes, which names and subjects may consist of.
        longest = Facts(
            use="prefix",
            upload_id="0" * 26,
            profile=self.name,
            issuer='"' * MAX_ISSUER_BYTES,
            subject='"' * MAX_SUBJECT_BYTES,
            bucket=self.place.bucket,
            object_key="k" * max(self.object_key.longest, self._longest_prefix()),
            size_min=self.max_size,
            size_max=self.max_size,
            content_type="t" * MAX_MEDIA_TYPE_BYTES,
            file_name='"' * MAX_NAME_BYTES,
            dialect="d" * MAX_DIALECT_BYTES,
            issued_at=LATEST_TIME,
            expires_at=LATEST_TIME,
            via=max(self.via, key=len),
            keep_days=self.keep_days,
            content_md5="m" * 24,
        )
        return measure_ticket(len(encode_facts(longest)) + (MAX_TOGETHER_BYTES if self.variables else 0))


def accepts_content_type(allowed: Sequence[str], content_type: str) -> bool:
    """Tell whether a media type is among those allowed, which may end in ``/*``."""
    return content_type in allowed or "*/*" in allowed or content_type.partition("/")[0] + "/*" in allowed
