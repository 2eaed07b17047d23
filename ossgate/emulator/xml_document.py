"""The XML documents of OSS: written for answers, read from request bodies."""

from collections.abc import Iterable, Iterator
from typing import Union
from xml.etree import ElementTree  # documents with a DOCTYPE are refused
from xml.sax.saxutils import escape

# Characters that XML 1.0 cannot carry, not even escaped; a key may hold them all the same.
_FORBIDDEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 65534, 65535], "�")

Members = Iterable[tuple[str, Union[str, "Members"]]]


class XmlMalformed(ValueError):
    """A body is no XML, or not the document that was expected."""


def build_document(root: str, members: Members) -> bytes:
    """Write one root element, indented by two blanks as OSS does."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<{root}>", *_write(members, "  "), f"</{root}>", ""]
    return "\n".join(lines).encode("utf-8", "replace")


def _write(members: Members, indent: str) -> Iterator[str]:
    for name, value in members:
        if isinstance(value, str):
            yield f"{indent}<{name}>{escape(value.translate(_FORBIDDEN))}</{name}>"
        else:
            yield f"{indent}<{name}>"
            yield from _write(value, indent + "  ")
            yield f"{indent}</{name}>"


def parse_document(body: bytes, root: str) -> ElementTree.Element:
    """Read a body; namespaces are taken off the names.

    Raises:
        XmlMalformed: It is no XML, has a DOCTYPE, or another root.
    """
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314  # see _Builder
    try:
        parser.feed(body)
        element: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise XmlMalformed(str(error)) from error
    if element.tag != root:
        raise XmlMalformed(f"the root is {element.tag[:50]}")
    return element


class _Builder(ElementTree.TreeBuilder):
    """Builds the tree without namespaces, and refuses what could blow it up."""

    def start(self, tag: str, attrs: dict[str, str], /) -> ElementTree.Element:
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> ElementTree.Element:
        return super().end(tag.rpartition("}")[2])

    def doctype(self, *_: object) -> None:
        # Entities are declared there.
        raise XmlMalformed("a DOCTYPE is not allowed")


def find_text(element: ElementTree.Element, name: str) -> str | None:
    """Tell the trimmed text of a child, None when there is no such child."""
    found = element.find(name)
    return None if found is None else (found.text or "").strip()
