"""The headers that a grant pins on an object, where they are headers and not form fields: PutObject and InitiateMultipartUpload.

Rules: *PutObject*, https://help.aliyun.com/zh/oss/developer-reference/putobject. Each ``x-oss-*`` header that a request carries is signed,
so that none can be added, dropped or altered; so is ``Content-Type``. ``Content-Disposition`` is signed by V4 as an additional header, by V1
not at all.
"""

from __future__ import annotations

from signer.facts import Facts
from signer.file_names import build_content_disposition
from signer.profiles import Profile
from signer.seal import METADATA_NAME

TAGGING_HEADER = "x-oss-tagging"
KEEP_DAYS_TAG = "ossgate-keep-days"
"""The tag by which a lifecycle rule of the bucket finds what is to be deleted. A form cannot carry one (*PostObject*)."""


def build_object_headers(profile: Profile, facts: Facts, seal: str) -> dict[str, str]:
    """Return the headers that say what the object is, who may read it, how long it stays, and that it replaces none."""
    headers = {
        "Content-Type": facts.content_type,
        "Content-Disposition": build_content_disposition(profile.disposition, facts.file_name),
        "x-oss-forbid-overwrite": "true",
        "x-oss-object-acl": profile.object_acl,
        "x-oss-storage-class": profile.storage_class,
        METADATA_NAME: seal,
    }
    if facts.keep_days:
        headers[TAGGING_HEADER] = f"{KEEP_DAYS_TAG}={facts.keep_days}"
    return headers
