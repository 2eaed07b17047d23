"""The callback's body: `${…}` replaced by what OSS knows and by the uploader's own variables.

In form bodies a value is percent-encoded; in JSON bodies a string comes with its quotes, a number bare.
Source: "Callback", https://help.aliyun.com/zh/oss/developer-reference/callback ; the quoting as captured.
"""

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from ossgate.emulator.callback_definition import JSON_TYPE

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")

# None stands for what is not known, such as the width of what is no image.
Value = str | int | None


def fill_template(template: str, body_type: str, variables: Mapping[str, Value]) -> bytes:
    """Replace every placeholder; the result is not checked to be valid JSON, as OSS does not check it either.

    Args:
        variables: System variables by name, and the uploader's under `x:…`.
    """
    render = _render_json if body_type == JSON_TYPE else _render_form

    def replace(match: re.Match[str]) -> str:
        # A variable that nobody set is an empty string.
        return render(variables.get(match[1], ""))

    return _PLACEHOLDER.sub(replace, template).encode("utf-8", "replace")


def _render_form(value: Value) -> str:
    return "" if value is None else quote(str(value), safe="", errors="replace")


def _render_json(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)
