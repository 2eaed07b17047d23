"""One page of a listing: which keys, which common prefixes, and where the next page begins.

Pure but for the index. Keys that share a prefix up to a delimiter are stepped over in one go, so a page costs as
many steps as it has entries. Source: https://help.aliyun.com/zh/oss/developer-reference/listobjects-v2
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.recent_changes import Keys

_HIGHEST = "\U0010ffff"
Finder = Callable[[str], ObjectMetadata | None]


@dataclass(slots=True)
class Page:
    """What a page holds.

    Args:
        next_marker: The last entry of a page that has a successor, else empty.
    """

    objects: list[ObjectMetadata] = field(default_factory=list)
    common_prefixes: list[str] = field(default_factory=list)
    next_marker: str = ""

    @property
    def key_count(self) -> int:
        """Objects and common prefixes together."""
        return len(self.objects) + len(self.common_prefixes)


def list_page(index: Keys, find: Finder, *, prefix: str, delimiter: str, after: str, most: int) -> Page:
    """Gather the entries behind a marker.

    Args:
        find: Reads an object's metadata; None for one that has gone meanwhile.
        after: Only entries that sort behind it are listed; a common prefix itself stands for all its keys.
        most: Entries on the page.
    """
    page = Page()
    last = ""
    key = _find_first(index, prefix, delimiter, after)
    while key is not None and key.startswith(prefix):
        common = _find_common(key, prefix, delimiter)
        metadata = find(key) if not common else None
        if common or metadata is not None:
            if page.key_count >= most:
                page.next_marker = last
                return page
            if metadata is not None:
                page.objects.append(metadata)
            else:
                page.common_prefixes.append(common)
            last = common or key
        key = _find_behind(index, common) if common else index.find_after(key)
    return page


def _find_common(key: str, prefix: str, delimiter: str) -> str:
    at = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[: at + len(delimiter)] if at >= 0 else ""


def _find_first(index: Keys, prefix: str, delimiter: str, after: str) -> str | None:
    if after < prefix:
        return index.find_from(prefix)
    if after and after == _find_common(after, prefix, delimiter):
        # A marker that is a common prefix has been listed with everything below it.
        return _find_behind(index, after)
    return index.find_after(after)


def _find_behind(index: Keys, prefix: str) -> str | None:
    """Tell the first key that is behind all keys with a prefix."""
    stem = prefix.rstrip(_HIGHEST)
    return index.find_from(stem[:-1] + chr(ord(stem[-1]) + 1)) if stem else None
