"""The policy of a form whose client names its own files: what it can demand without refusing what the client does not post.

Rules: *PostObject*, https://help.aliyun.com/zh/oss/developer-reference/postobject. A condition on a field that the form does not hold refuses the
form, so only what each client is known to post is named. The type is that of the file's own part, which every client sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from signer.conditions import Condition, content_length_range, eq, exact, in_, starts_with
from signer.credentials import Credentials
from signer.dialects.handed import HandedForm
from signer.dialects.wishes import FormUnderPrefix
from signer.post_form import sign_form
from signer.profiles import Profile


def sign_prefix_form(
    profile: Profile,
    wish: FormUnderPrefix,
    *,
    prefix: str,
    callback_param: str,
    credentials: Credentials,
    now: datetime,
    expires_at: datetime,
) -> HandedForm:
    """Return a form for any number of files below a prefix.

    Args:
        prefix: Ends with a slash.
        now: Aware time.
    """
    fields: dict[str, str] = {}
    if wish.status_field:
        fields["success_action_status"] = "200"
    if wish.callback:
        fields["callback"] = callback_param
    conditions = [
        exact("bucket", profile.place.bucket),
        content_length_range(profile.min_size, profile.limit_for("post")),
        starts_with("key", prefix),
        *build_type_conditions(profile.content_types),
        *[eq(name, value) for name, value in fields.items()],
    ]
    signed = sign_form(
        fields,
        conditions,
        version=wish.signature,
        credentials=credentials,
        region=profile.place.region,
        now=now,
        expires_at=expires_at,
    )
    return HandedForm(
        host=profile.place.host,
        prefix=prefix,
        fields=signed,
        callback_param=callback_param,
        expires_at=expires_at,
    )


def build_type_conditions(content_types: Sequence[str]) -> list[Condition]:
    """Return what a policy can say of the types that a profile takes; of a mixture with wildcards it cannot say anything."""
    if "*/*" in content_types:
        return []
    wild = [one for one in content_types if one.endswith("/*")]
    if not wild:
        return [in_("content-type", content_types)]
    if len(content_types) == 1:
        return [starts_with("content-type", wild[0].removesuffix("*"))]
    return []
