"""What all listings share: their arguments, and how names are written."""

from urllib.parse import quote

from ossgate.emulator.errors import INVALID_ARGUMENT, OssError
from ossgate.emulator.requests import MAX_KEY_BYTES, Request


def read_count(request: Request, name: str, *, default: int, highest: int = 1000, lowest: int = 0) -> int:
    """Read how many entries a page may have, or where it begins.

    Raises:
        OssError: It is no number, or out of range.
    """
    text = request.query_value(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10) or not lowest <= int(text) <= highest:
        raise invalid_argument(name, text)
    return int(text)


def read_name(request: Request, name: str) -> str:
    """Read a prefix, delimiter or marker.

    Raises:
        OssError: It is no UTF-8, or longer than any key.
    """
    text = request.query_value(name) or ""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise invalid_argument(name, "") from error
    if size > MAX_KEY_BYTES:
        raise invalid_argument(name, text)
    return text


def check_encoding(request: Request) -> None:
    """Refuse an encoding of names other than `url`.

    Raises:
        OssError: Another is asked for.
    """
    text = request.query_value("encoding-type")
    if text not in (None, "", "url"):
        raise invalid_argument("encoding-type", text)


def invalid_argument(name: str, value: str) -> OssError:
    """Name an argument that does not hold."""
    return OssError(INVALID_ARGUMENT, extras=[("ArgumentName", name), ("ArgumentValue", value)])


def encode_name(request: Request, text: str) -> str:
    """Write a key, prefix or delimiter into a listing: percent-encoded if the request asks for that."""
    if request.query_value("encoding-type") == "url":
        return quote(text, safe="", errors="replace")
    return text


def list_encoding(request: Request) -> list[tuple[str, str]]:
    """Write the member that tells how names are encoded, if they are."""
    return [("EncodingType", "url")] if request.query_value("encoding-type") == "url" else []
