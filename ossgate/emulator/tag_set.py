"""An object's tags: at most ten pairs, as a header or as XML.

Source: "PutObjectTagging", https://help.aliyun.com/zh/oss/developer-reference/putobjecttagging
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from ossgate.emulator.errors import OssError
from ossgate.emulator.object_errors import TAGS_INVALID

MAX_TAGS = 10
MAX_KEY_LENGTH = 128
MAX_VALUE_LENGTH = 256
# Letters of any script, digits, blanks and + - = . _ : /
_TEXT = re.compile(r"[\w +\-=.:/]*")


def parse_tagging_header(text: str) -> dict[str, str]:
    """Read `x-oss-tagging`: pairs as in a query, percent-encoded.

    Raises:
        OssError: A pair is malformed, or there are too many.
    """
    pairs = []
    for item in text.split("&") if text else ():
        name, _, value = item.partition("=")
        pairs.append((_decode(name), _decode(value)))
    return check_tags(pairs)


def check_tags(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Make a tag set of pairs.

    Raises:
        OssError: There are too many, one key twice, or a key or value that is too long or has odd characters.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        named = 1 <= len(name) <= MAX_KEY_LENGTH and _TEXT.fullmatch(name)
        if not named or len(value) > MAX_VALUE_LENGTH or not _TEXT.fullmatch(value) or name in found:
            raise OssError(TAGS_INVALID)
        found[name] = value
    if len(found) > MAX_TAGS:
        raise OssError(TAGS_INVALID)
    return found


def _decode(text: str) -> str:
    raw = unquote_to_bytes(text.replace("+", " ").encode("utf-8", "surrogateescape"))
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise OssError(TAGS_INVALID) from error
