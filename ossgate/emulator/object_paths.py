"""Where an object lies on disk.

A key becomes a path that a person recognises: `photos/2026/cat.jpg` is just that. What a file system cannot
hold is escaped, so that different keys never share a path and no key leaves its folder:

- the last segment always holds a dot or ends in `%`, the others never do: `a` and `a/b` can both exist;
- unsafe characters become `%XX`; an empty segment becomes `%-`;
- a segment that a case-insensitive or normalising file system could confuse with another, that Windows
  reserves, or that is too long, gets `~` and a piece of its SHA-256.
"""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

# Linux allows 255 bytes a name, others 255 UTF-16 units; ".json" and the marks must fit as well.
_MAX_SEGMENT_BYTES = 180
_KEPT_BYTES = 90
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\%~]')
_ESCAPE = re.compile(r"%([0-9A-F]{2})")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)


def map_key(object_key: str) -> PurePosixPath:
    """Map a key to a relative path, one to one."""
    *folders, leaf = object_key.split("/")
    return PurePosixPath(*map(_map_folder, folders), _map_leaf(leaf))


def read_key(path: PurePosixPath) -> str | None:
    """Tell the key that maps to a path; None when the path holds only a piece of it, marked by `~`."""
    if any("~" in part for part in path.parts):
        return None
    *folders, leaf = path.parts
    segments = ["" if part == "%-" else _unescape(part) for part in folders]
    name = leaf if "." in leaf else leaf[:-1]
    segments.append("" if name == "%-" else _unescape(name))
    return "/".join(segments)


def _map_folder(segment: str) -> str:
    if not segment:
        return "%-"
    name = _shorten(segment, _escape(segment).replace(".", "%2E"))
    return name.replace(".", "%2E")


def _map_leaf(segment: str) -> str:
    name = _shorten(segment, _escape(segment)) if segment else "%-"
    return name if "." in name else name + "%"


def _escape(segment: str) -> str:
    name = _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", segment)
    # Windows drops dots and blanks at the end; "." and ".." are no names anywhere.
    trimmed = name.rstrip(". ")
    return trimmed + "".join(f"%{ord(character):02X}" for character in name[len(trimmed) :])


def _unescape(name: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name)


def _shorten(segment: str, name: str) -> str:
    too_long = len(name.encode()) > _MAX_SEGMENT_BYTES
    plain = unicodedata.normalize("NFC", segment.casefold()) == segment and not _RESERVED.fullmatch(segment)
    if plain and not too_long:
        return name
    digest = hashlib.sha256(segment.encode()).hexdigest()
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 16:
        stem, dot, extension = name, "", ""
    if too_long:
        kept = stem.encode()[:_KEPT_BYTES].decode(errors="ignore")
        # A cut may leave half an escape behind, which the digest makes harmless.
        return f"{kept}~{digest[:40]}{dot}{extension}"
    return f"{stem}~{digest[:12]}{dot}{extension}"
