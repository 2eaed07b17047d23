"""Object keys: chosen by the server from a profile's template.

Rules: *PutObject*, https://help.aliyun.com/zh/oss/developer-reference/putobject: 1 to 1,023 bytes of UTF-8, not beginning with a slash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from signer.errors import ConfigurationError, quote
from signer.file_names import MAX_SEGMENT_BYTES, choose_extension, clean_segment, split_extension
from signer.texts import holds_hidden
from signer.times import format_seconds

MAX_KEY_BYTES = 1023
MAX_PREFIX_BYTES = 700
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Characters that OSS, URLs, policies or our JSON give a meaning of their own.
_REFUSED = re.compile(r"[\\{}$?#%\"<>|^`\s]")
# The longest text that each placeholder can become, in bytes.
_LONGEST = {
    "subject": MAX_SEGMENT_BYTES,
    "profile": 64,
    "date": 10,
    "year": 4,
    "month": 2,
    "day": 2,
    "upload_id": 26,
    "name": MAX_SEGMENT_BYTES,
    "ext": 11,
}


@dataclass(frozen=True, slots=True)
class KeyTemplate:
    """A checked template of object keys."""

    written: str
    longest: int
    names: frozenset[str]

    def find_constant(self, profile: str) -> str:
        """Return what all keys of a profile begin with."""
        return self.written.replace("{profile}", profile).partition("{")[0]

    def build_object_key(
        self, *, profile: str, subject: str, upload_id: str, file_name: str, content_type: str, now: datetime
    ) -> str:
        """Return the object key of one upload."""
        values = {"profile": profile, "upload_id": upload_id, **_name_day(format_seconds(now)[:10])}
        # The dear ones are made for templates that show them.
        if "subject" in self.names:
            values["subject"] = clean_segment(subject, "anonymous")
        if "name" in self.names:
            values["name"] = clean_segment(split_extension(file_name)[0], "file")
        if "ext" in self.names:
            values["ext"] = choose_extension(file_name, content_type)
        return self.written.format_map(values)


@lru_cache(maxsize=8)
def _name_day(date: str) -> Mapping[str, str]:
    return {"date": date, "year": date[:4], "month": date[5:7], "day": date[8:]}


def compile_prefix_template(template: str) -> KeyTemplate:
    """Check the template of what stands in front of a prefix grant's own segment.

    Raises:
        ConfigurationError: It does not end in a slash, shows what only one file has, or is otherwise no beginning of a key.
    """
    for name in _PLACEHOLDER.findall(template):
        if name in ("upload_id", "name", "ext"):
            raise ConfigurationError(
                f"a key prefix cannot show {{{name}}}, which each file has its own of",
                hint="leave it out: grant and file names follow the prefix",
            )
    if not template.endswith("/"):
        raise ConfigurationError(
            f"the key prefix {quote(template)} does not end in a slash",
            hint='write it as "uploads/{subject}/"',
        )
    checked = compile_key_template(template + "{upload_id}")
    longest = checked.longest - _LONGEST["upload_id"]
    if longest > MAX_PREFIX_BYTES:
        raise ConfigurationError(
            f"the key prefix {quote(template)} can have {longest} bytes",
            hint=f"at most {MAX_PREFIX_BYTES}, so that names of 255 bytes follow",
        )
    return KeyTemplate(template, longest, checked.names - {"upload_id"})


def compile_key_template(template: str) -> KeyTemplate:
    """Check an object key template.

    Raises:
        ConfigurationError: An unknown placeholder, no ``{upload_id}``, a character that OSS or URLs read otherwise, or too long.
    """
    names = _PLACEHOLDER.findall(template)
    literal = _PLACEHOLDER.sub("", template)
    for name in names:
        if name not in _LONGEST:
            raise ConfigurationError(
                f"object keys know no placeholder {{{name}}}",
                hint="known are " + ", ".join(f"{{{known}}}" for known in _LONGEST),
            )
    if "upload_id" not in names:
        raise ConfigurationError(
            f"the object key {quote(template)} does not hold {{upload_id}}",
            hint="add it: without it two uploads could meet on one key",
        )
    if _REFUSED.search(literal) or holds_hidden(literal) or template.startswith("/"):
        raise ConfigurationError(
            f"the object key {quote(template)} begins with a slash or holds a character with a meaning of its own",
            hint="use letters, digits, / . _ and -",
        )
    # An extension may be empty; what else is filled in never is.
    if any(segment in ("", ".", "..") for segment in template.replace("{ext}", "").split("/")):
        raise ConfigurationError(
            f"the object key {quote(template)} has an empty or a dotted segment",
            hint="HTTP clients fold these segments, and the signature no longer matches",
        )
    longest = len(literal.encode()) + sum(_LONGEST[name] for name in names)
    if longest > MAX_KEY_BYTES:
        raise ConfigurationError(
            f"the object key {quote(template)} can have {longest} bytes; OSS takes {MAX_KEY_BYTES}",
            hint="shorten the template",
        )
    return KeyTemplate(template, longest, frozenset(names))
