"""What a transcript may tell of a request: no signature, no token, no policy, no callback definition.

A callback definition often carries the receiver's own secret, and a policy carries the definition.
"""

import hashlib
import re
from collections.abc import Iterable

_SECRET_PARAMETERS = frozenset(
    """
    signature x-oss-signature security-token securitytoken x-oss-security-token callback callback-var x-oss-callback
    x-oss-callback-var policy signaturenonce
    """.split()  # noqa: SIM905
)
# Lines and query items of what is signed, and conditions as a refusal quotes them.
_NAMES = r"(?:x-oss-)?(?:security-token|callback-var|callback|signature)|policy"
_SIGNED_ITEM = re.compile(rf"(?im)((?:^|[?&])(?:{_NAMES})[:=])([^&\n]+)")
_QUOTED_CONDITION = re.compile(
    rf'(?i)("\$?(?:{_NAMES}|x-oss-meta-[^"]*)"\s*[,:]\s*)("(?:[^"\\]|\\.)*"?|\[[^\]]*\]?)'
)
_MAX_TEXT = 16 * 1024


def redact_query(query: Iterable[tuple[str, str]]) -> str:
    """Write a query for people to read, secret values masked."""
    items = []
    for name, value in query:
        shown = mask(value) if name.lower() in _SECRET_PARAMETERS and value else value
        items.append(f"{name}={shown}" if value else name)
    return "&".join(items)[:_MAX_TEXT]


def redact_signed_text(text: str) -> str:
    """Mask tokens and callback definitions in a StringToSign or a canonical request."""
    return _SIGNED_ITEM.sub(lambda match: match[1] + mask(match[2]), text)[:_MAX_TEXT]


def redact_message(text: str) -> str:
    """Mask the values of conditions that a refusal quotes."""
    return _QUOTED_CONDITION.sub(lambda match: match[1] + mask(match[2]), text)


def summarise(text: str) -> str:
    """Tell length and digest of a text that is not shown, so that it can be compared."""
    raw = text.encode("utf-8", "replace")
    return f"{len(raw)} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}"


def mask(value: str) -> str:
    """Tell only how long a value is."""
    return f"***({len(value)})"
