"""The template of a callback body, compiled so that its mistakes are found at start.

Rules: *Callback*, https://help.aliyun.com/zh/oss/developer-reference/callback. In a JSON body OSS inserts strings with their quotes and numbers bare,
in a form body it inserts percent-encoded text; it never checks the result. ``${ticket}`` is ours: it becomes a constant before OSS sees the template.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

import orjson

from signer.errors import ConfigurationError, quote

BodyType = Literal["json", "form"]

STRINGS = frozenset(
    {
        "bucket", "object", "etag", "mimeType", "imageInfo.format", "crc64",
        "contentMd5", "vpcId", "clientIp", "reqId", "operation",
    }
)  # fmt: skip
IMAGE_NUMBERS = frozenset({"imageInfo.width", "imageInfo.height"})
NUMBERS = frozenset({"size"}) | IMAGE_NUMBERS
TICKET = "ticket"
KNOWN = STRINGS | NUMBERS | {TICKET}

REQUIRED = {
    "bucket": "bucket",
    "object": "object",
    "etag": "etag",
    "size": "size",
    "mimeType": "mimeType",
    TICKET: TICKET,
}
"""Body field to variable: what the callback's three layers read."""

DEFAULT_JSON = '{"bucket":${bucket},"object":${object},"etag":${etag},"size":${size},"mimeType":${mimeType},"ticket":${ticket}}'
DEFAULT_JSON_IMAGE = DEFAULT_JSON[:-1] + ',"width":"${imageInfo.width}","height":"${imageInfo.height}"}'
DEFAULT_FORM = "&".join(f"{name}=${{{variable}}}" for name, variable in REQUIRED.items())
DEFAULT_FORM_IMAGE = DEFAULT_FORM + "&width=${imageInfo.width}&height=${imageInfo.height}"

_PLACEHOLDER = re.compile(r"\$(?:\{([^}]*)\})?")


@dataclass(frozen=True, slots=True)
class BodyTemplate:
    """A checked template, cut where the ticket goes."""

    body_type: BodyType
    before_ticket: str
    after_ticket: str

    def insert_ticket(self, ticket: str) -> str:
        """Return the ``callbackBody`` of one grant."""
        return self.before_ticket + ticket + self.after_ticket


def compile_body(template: str, body_type: BodyType) -> BodyTemplate:
    """Check a callback body template and cut it at the ticket.

    Raises:
        ConfigurationError: A stray dollar sign, an unknown variable, quotes where OSS adds its own, a missing field,
            or a result that is not JSON; the hint says how to write it.
    """
    samples: list[str] = []
    position = 0
    quoted = _quoted_spans(template) if body_type == "json" else []
    for match in _PLACEHOLDER.finditer(template):
        name = _check_variable(match, template)
        samples.append(template[position : match.start()])
        inside = any(start < match.start() < end for start, end in quoted)
        samples.append(_sample_json(name, inside) if body_type == "json" else _sample(name))
        position = match.end()
    samples.append(template[position:])
    _check_fields("".join(samples), body_type)
    before, _, after = template.partition("${ticket}")
    if "${ticket}" in after:
        raise ConfigurationError("the callback body holds ${ticket} twice", hint="keep one")
    mark = '"' if body_type == "json" else ""
    return BodyTemplate(body_type, before + mark, mark + after)


def _check_variable(match: re.Match[str], template: str) -> str:
    name = match.group(1)
    if name is None:
        raise ConfigurationError(
            f"the callback body holds a dollar sign without a brace: {quote(template[match.start() : match.start() + 20])}",
            hint="write variables as ${object}; OSS refuses any other dollar sign (EC 0007-00000105)",
        )
    if name.startswith("x:"):
        raise ConfigurationError(
            f"the callback body names the custom variable ${{{name}}}",
            hint="declare it in the profile's [variables] instead: it then travels inside the ticket, where no client can change it",
        )
    if name not in KNOWN:
        near = difflib.get_close_matches(name, KNOWN, n=1)
        raise ConfigurationError(
            f"OSS knows no callback variable ${{{name}}}",
            hint=f"did you mean ${{{near[0]}}}?" if near else "known are " + ", ".join(sorted(KNOWN)),
        )
    return name


def _quoted_spans(template: str) -> list[tuple[int, int]]:
    """Return where JSON strings begin and end, judged as a JSON reader would."""
    spans, start, escaped = [], -1, False
    for index, character in enumerate(template):
        if start < 0:
            if character == '"':
                start = index
        elif escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            spans.append((start, index))
            start = -1
    return spans


def _sample_json(name: str, inside_quotes: bool) -> str:
    if name in NUMBERS:
        if name in IMAGE_NUMBERS and not inside_quotes:
            raise ConfigurationError(
                f"${{{name}}} stands outside quotes in a JSON callback body",
                hint=f'write "${{{name}}}": for a file that is no image OSS may insert nothing, which breaks the JSON',
            )
        return _sample(name)
    if inside_quotes:
        raise ConfigurationError(
            f"${{{name}}} stands inside quotes in a JSON callback body",
            hint=f'write {{"{name}":${{{name}}}}} without quotes: OSS adds its own',
        )
    return f'"{_sample(name)}"'


def _sample(name: str) -> str:
    # A number that no template holds by itself, else a constant would pass for the variable.
    return "7919104729" if name in NUMBERS else f"sample-{name}"


def _check_fields(sample: str, body_type: BodyType) -> None:
    if body_type == "json":
        try:
            fields = orjson.loads(sample)
        except orjson.JSONDecodeError as error:
            raise ConfigurationError(
                f"the callback body is not JSON once OSS has filled it in: {error}",
                hint="strings are inserted with quotes and numbers without",
            ) from error
        if not isinstance(fields, dict):
            raise ConfigurationError(
                "the callback body is not a JSON object", hint=f"for instance {DEFAULT_JSON}"
            )
    else:
        pairs = parse_qsl(sample, keep_blank_values=True)
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise ConfigurationError("the callback body holds a field twice", hint="keep one of each")
    for field, variable in REQUIRED.items():
        if str(fields.get(field)) != _sample(variable):
            written = f'"{field}":${{{variable}}}' if body_type == "json" else f"{field}=${{{variable}}}"
            raise ConfigurationError(
                f"the callback body has no field {field} that holds ${{{variable}}}", hint=f"add {written}"
            )
