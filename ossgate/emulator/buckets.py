"""The buckets there are, and what is set for each; a file `bucket.json` in each bucket's folder.

Those that the emulator is started with need not be created; what the options say of them holds until the API says
otherwise.
"""

import json
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ossgate.emulator.bucket_errors import BUCKET_NOT_EMPTY
from ossgate.emulator.errors import INVALID_BUCKET_NAME, NO_SUCH_BUCKET, OssError
from ossgate.emulator.file_moves import replace_json
from ossgate.emulator.options import BucketAcl
from ossgate.emulator.owner import OWNER_ID
from ossgate.emulator.requests import is_bucket_name
from ossgate.emulator.store import ObjectStore

_FILE_NAME = "bucket.json"


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket's settings.

    Args:
        created: Seconds since the epoch.
        own_acl: Whether the API has set the ACL, so that the options' no longer holds.
        cors: Rules as they are kept, by field name; None when nobody has set any.
        vary_always: Whether answers say `Vary: Origin` to everybody.
        overwrite_rules: The bucket's own rules against overwriting.
        versioning: "Enabled", "Suspended" or empty.
    """

    name: str
    created: float
    acl: BucketAcl = "private"
    own_acl: bool = False
    storage_class: str = "Standard"
    redundancy: str = "LRS"
    cors: tuple[Mapping[str, Any], ...] | None = None
    vary_always: bool = False
    overwrite_rules: tuple[Mapping[str, Any], ...] = ()
    versioning: str = ""

    def new_version_id(self) -> str:
        """Make the version ID of an object that is written; empty when the bucket keeps no versions."""
        # Sixty-four characters that look like the service's own.
        return "CAEQ" + secrets.token_hex(30) if self.versioning == "Enabled" else ""

    def forbids_overwrite(self, object_key: str, *, asked: bool) -> bool:
        """Tell whether a taken key is to be refused; on versioned buckets an overwrite is a new version.

        Args:
            asked: Whether the request itself forbids it.
        """
        if self.versioning:
            return False
        return asked or any(_is_for(rule, object_key) for rule in self.overwrite_rules)


class BucketRegistry:
    """Knows all buckets; changes are on disk before they are seen."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self._folder = store.root / "buckets"
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def open(self, given: Iterable[Bucket]) -> None:
        """Read what is on disk, and create the given buckets that are not there."""
        for path in sorted(self._folder.glob(f"*/{_FILE_NAME}")):
            bucket = Bucket(**_freeze(json.loads(path.read_text("utf-8"))))
            self._buckets[bucket.name] = bucket
        for bucket in given:
            old = self._buckets.get(bucket.name)
            if old is None:
                self._save(bucket)
                continue
            acl = old.acl if old.own_acl else bucket.acl
            self._buckets[bucket.name] = replace(old, acl=acl, versioning=bucket.versioning or old.versioning)
        for name in self._buckets:
            self.store.add_bucket(name)

    def find(self, name: str) -> Bucket | None:
        """Tell a bucket's settings; None when there is no such bucket."""
        return self._buckets.get(name)

    def require(self, name: str) -> Bucket:
        """Tell a bucket's settings.

        Raises:
            OssError: There is no such bucket, or there can be none of that name.
        """
        found = self._buckets.get(name)
        if found is None:
            check_bucket_name(name)
            raise OssError(NO_SUCH_BUCKET, extras=[("BucketName", name)])
        return found

    def list_buckets(self) -> list[Bucket]:
        """Tell all buckets by name."""
        return [self._buckets[name] for name in sorted(self._buckets)]

    def create(self, bucket: Bucket) -> None:
        """Make a bucket; one that is there gets the new ACL and keeps the rest."""
        with self._lock:
            old = self._buckets.get(bucket.name)
            if old is None:
                self._save(bucket)
                self.store.add_bucket(bucket.name)
            else:
                self._save(replace(old, acl=bucket.acl, own_acl=True))

    def change(self, name: str, **settings: Any) -> None:
        """Set something anew.

        Raises:
            OssError: The bucket is gone.
        """
        with self._lock:
            self._save(replace(self.require(name), **settings))

    def delete(self, name: str, *, has_uploads: bool) -> None:
        """Remove an empty bucket.

        Raises:
            OssError: It holds objects or uploads.
        """
        with self._lock:
            self.require(name)
            if has_uploads:
                raise OssError(BUCKET_NOT_EMPTY, extras=[("BucketName", name)])
            self.store.drop_bucket(name)
            del self._buckets[name]

    def _save(self, bucket: Bucket) -> None:
        path: Path = self._folder / bucket.name / _FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_json(path, asdict(bucket))
        self._buckets[bucket.name] = bucket


def check_bucket_name(name: str) -> None:
    """Refuse names that OSS refuses.

    Raises:
        OssError: It is too short, too long, or has odd characters.
    """
    if not is_bucket_name(name):
        raise OssError(INVALID_BUCKET_NAME, extras=[("BucketName", name)])


def _freeze(document: dict[str, Any]) -> dict[str, Any]:
    rules = {name: tuple(value) for name, value in document.items() if isinstance(value, list)}
    return {**document, **rules}


def _is_for(rule: Mapping[str, Any], object_key: str) -> bool:
    # All who can sign here belong to the one account.
    principals = rule["principals"]
    return (
        object_key.startswith(rule["prefix"])
        and object_key.endswith(rule["suffix"])
        and (not principals or any(fnmatchcase(OWNER_ID, name) for name in principals))
    )
