"""The facts of a grant as the ledger remembers them, which are those that its ticket and its seal hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from signer.facts import VIAS, Facts, Variable


class PromisedUpload(Protocol):
    """What the ledger keeps of a grant."""

    @property
    def upload_id(self) -> str: ...  # noqa: D102
    @property
    def profile(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def issuer(self) -> str: ...  # noqa: D102
    @property
    def via(self) -> str: ...  # noqa: D102
    @property
    def dialect(self) -> str | None: ...  # noqa: D102
    @property
    def bucket(self) -> str: ...  # noqa: D102
    @property
    def object_key(self) -> str: ...  # noqa: D102
    @property
    def file_name(self) -> str: ...  # noqa: D102
    @property
    def content_type(self) -> str: ...  # noqa: D102
    @property
    def size_min(self) -> int: ...  # noqa: D102
    @property
    def size_max(self) -> int: ...  # noqa: D102
    @property
    def variables(self) -> Mapping[str, Variable]: ...  # noqa: D102
    @property
    def keep_days(self) -> int: ...  # noqa: D102
    @property
    def created_at(self) -> datetime: ...  # noqa: D102
    @property
    def expires_at(self) -> datetime: ...  # noqa: D102


def restore_facts(upload: PromisedUpload) -> Facts:
    """Return the facts of a ``once`` grant that has not arrived yet; what has arrived may have another content type."""
    return Facts(
        use="once",
        upload_id=upload.upload_id,
        profile=upload.profile,
        issuer=upload.issuer,
        subject=upload.subject,
        bucket=upload.bucket,
        object_key=upload.object_key,
        size_min=upload.size_min,
        size_max=upload.size_max,
        content_type=upload.content_type,
        file_name=upload.file_name,
        variables=dict(upload.variables),
        dialect=upload.dialect or "",
        issued_at=int(upload.created_at.timestamp()),
        expires_at=int(upload.expires_at.timestamp()),
        via=next((via for via in VIAS if via == upload.via), "post"),
        keep_days=upload.keep_days,
    )
