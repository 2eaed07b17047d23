"""What policies may ask of a request: the condition keys of OSS.

Source: "Condition", https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy-overview
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ossgate.emulator.requests import Request, decode_path


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What a request tells beside operation, bucket and key.

    Args:
        prefix: Of a listing; None when the request names none.
        copy_source: Bucket and key that a copy reads.
        gives_acl: Whether the request sets an ACL along the way.
        gives_tagging: Whether the request sets tags along the way.
    """

    now: datetime
    source_ip: str = ""
    user_agent: str = ""
    secure_transport: bool = False
    prefix: str | None = None
    delimiter: str | None = None
    copy_source: tuple[str, str] | None = None
    gives_acl: bool = False
    gives_tagging: bool = False

    def list_condition_values(self, *, listing: bool) -> dict[str, str]:
        """Tell the value of each condition key; keys that the request has nothing for are left out.

        Args:
            listing: Whether the operation has a prefix and a delimiter; what it does not name is empty then.
        """
        values = {
            "acs:CurrentTime": f"{self.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "acs:SecureTransport": "true" if self.secure_transport else "false",
        }
        if self.source_ip:
            values["acs:SourceIp"] = self.source_ip
        if self.user_agent:
            values["acs:UserAgent"] = self.user_agent
        if listing:
            values["oss:Prefix"] = self.prefix or ""
            values["oss:Delimiter"] = self.delimiter or ""
        return values


def read_facts(
    request: Request,
    form_fields: Mapping[str, str],
    *,
    now: datetime,
    secure_transport: bool = False,
) -> RequestFacts:
    """Gather what policies may ask of a request.

    Args:
        form_fields: Of a form upload, by lower-case name.
        secure_transport: Whether the client came by TLS.
    """
    given = {**request.headers, **form_fields}
    return RequestFacts(
        now=now,
        source_ip=request.remote_addr,
        user_agent=request.header("user-agent"),
        secure_transport=secure_transport,
        prefix=request.query_value("prefix"),
        delimiter=request.query_value("delimiter"),
        copy_source=read_copy_source(request.header("x-oss-copy-source")),
        gives_acl=bool(given.get("x-oss-object-acl") or given.get("x-oss-acl")),
        gives_tagging=bool(given.get("x-oss-tagging")),
    )


def read_copy_source(header: str) -> tuple[str, str] | None:
    """Tell bucket and key of `/bucket/key`, percent-encoded, a version behind a question mark; None without a header.

    What is no such path is told as it stands: no policy can name it, and the copy itself refuses it.

    Raises:
        OssError: The name is not UTF-8.
    """
    if not header:
        return None
    bucket, _, object_key = decode_path(header.strip().partition("?")[0]).removeprefix("/").partition("/")
    return bucket, object_key
