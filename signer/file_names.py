"""File names in any script: cleaned for the ledger, for an object key and for ``Content-Disposition``.

``Content-Disposition`` follows RFC 6266 and RFC 8187: an ASCII name for old programs, the true one in UTF-8 beside it.
"""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote as percent_encode

from signer.errors import FileNameInvalid, quote
from signer.texts import drop_hidden

MAX_NAME_BYTES = 255
MAX_SEGMENT_BYTES = 100

# Dots, joiners and the blanks of all scripts (Unicode's Zs) mean nothing at the ends of a name.
_EDGES = ". \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u200c\u200d"
# Characters that OSS, URLs, shells, Windows or policies give a meaning of their own.
_UNSAFE_IN_KEYS = re.compile(r"[\s/\\:*?\"'<>|$`{}\[\]#%&+;,=@^!~]+")
# Characters that a quoted file name cannot hold, or that a reader of headers may take for something else.
_UNSAFE_IN_QUOTES = re.compile(r"[^\w .()\-]", re.ASCII)
# What most ids look like, and what cleaning would leave as it is.
_FIT_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9])?")
# The Kelvin sign is the one letter outside ASCII whose small form is inside.
_NAME_WITH_EXTENSION = re.compile(r"(.+)(\.[A-Za-z0-9\u212a]{1,10})", re.DOTALL)
_EXTENSION = re.compile(r"\.[a-z0-9]{1,10}")

# The standard library's choice differs between machines; these are what people expect.
_PREFERRED_EXTENSIONS = {
    "application/octet-stream": "",
    "image/jpeg": ".jpg",
    "image/tiff": ".tif",
    "text/plain": ".txt",
    "text/html": ".html",
    "audio/mpeg": ".mp3",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_KNOWN_TYPES = {
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".avif": "image/avif",
    ".jxl": "image/jxl",
    ".md": "text/markdown",
    ".docx": _OFFICE + "wordprocessingml.document",
    ".xlsx": _OFFICE + "spreadsheetml.sheet",
    ".pptx": _OFFICE + "presentationml.presentation",
    ".gz": "application/gzip",
    ".7z": "application/x-7z-compressed",
    ".rar": "application/vnd.rar",
    ".m4a": "audio/mp4",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".mkv": "video/x-matroska",
}


def clean_file_name(name: str) -> str:
    """Return the last part of a name without invisible characters, composed (NFC).

    Raises:
        FileNameInvalid: Nothing is left, or more than 255 bytes; answered with 422.
    """
    # Composed last: a character that is dropped may have stood between a letter and its accent.
    visible = unicodedata.normalize("NFC", drop_hidden(name))
    # Leading dots go too: they hide a file, and what follows them is its name.
    cleaned = visible.replace("\\", "/").rpartition("/")[2].strip(_EDGES)
    if not cleaned:
        raise FileNameInvalid(
            f"{quote(name)} is no file name", hint="send the name of the file, such as photo.jpg"
        )
    if len(cleaned.encode()) > MAX_NAME_BYTES:
        raise FileNameInvalid(
            f"the file name has {len(cleaned.encode())} bytes, more than {MAX_NAME_BYTES}",
            hint="shorten the name; it is only a label, the object gets its own key",
        )
    return cleaned


def clean_segment(text: str, fallback: str) -> str:
    """Return text fit for one segment of an object key, at most 100 bytes."""
    if _FIT_SEGMENT.fullmatch(text):
        return text
    cleaned = _UNSAFE_IN_KEYS.sub("_", text).strip("._-")
    return truncate(cleaned, MAX_SEGMENT_BYTES).strip("._-") or fallback


def truncate(text: str, limit: int) -> str:
    """Return the longest beginning of a text that has at most ``limit`` bytes in UTF-8."""
    return text.encode()[:limit].decode(errors="ignore")


def split_extension(name: str) -> tuple[str, str]:
    """Return a name without its extension, and the extension in lower case with its dot, or nothing."""
    match = _NAME_WITH_EXTENSION.fullmatch(name)
    return (match[1], match[2].lower()) if match else (name, "")


def guess_content_type(name: str) -> str:
    """Return the media type that a name's extension suggests, or ``application/octet-stream``."""
    return _find_content_type(split_extension(name)[1])


@lru_cache(maxsize=512)
def _find_content_type(extension: str) -> str:
    known = _KNOWN_TYPES.get(extension)
    if known:
        return known
    media_type, encoding = mimetypes.guess_type("x" + extension)
    # With an encoding the type is that of what is packed inside: .tgz is no plain tar file.
    return media_type if media_type and not encoding else "application/octet-stream"


def choose_extension(name: str, content_type: str) -> str:
    """Return the extension of an object key, such that it does not contradict the content type.

    A type that says nothing, and one whose extension nobody knows, leave the name's own.
    """
    return _choose_extension(split_extension(name)[1], content_type)


@lru_cache(maxsize=512)
def _choose_extension(extension: str, content_type: str) -> str:
    if extension and _find_content_type(extension) == content_type:
        return extension
    known = _PREFERRED_EXTENSIONS.get(content_type)
    if known is None:
        known = next((end for end, media_type in _KNOWN_TYPES.items() if media_type == content_type), None)
    if known is None:
        known = mimetypes.guess_extension(content_type) or ""
    return known if _EXTENSION.fullmatch(known) else extension


def build_content_disposition(kind: str, name: str) -> str:
    """Return the header that names the file when the object is fetched; ASCII only."""
    stem, extension = split_extension(name)
    ascii_stem = (
        stem if stem.isascii() else unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    )
    ascii_name = (_UNSAFE_IN_QUOTES.sub("_", ascii_stem).strip(" .") or "file") + extension
    header = f'{kind}; filename="{ascii_name}"'
    return header if ascii_name == name else f"{header}; filename*=UTF-8''{percent_encode(name, safe='')}"
