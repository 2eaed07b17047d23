"""The flat XML documents of OSS's answers."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

# Characters that XML 1.0 cannot carry, not even escaped; a key may hold them all the same.
_FORBIDDEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 65534, 65535], "�")


def build_document(root: str, members: Iterable[tuple[str, str]]) -> bytes:
    """Write one root element with text members, indented by two blanks as OSS does."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<{root}>"]
    lines += [f"  <{name}>{escape(text.translate(_FORBIDDEN))}</{name}>" for name, text in members]
    lines += [f"</{root}>", ""]
    return "\n".join(lines).encode("utf-8", "replace")
