"""The JSON of the admin API."""

import json
from collections.abc import Mapping
from typing import Any

from ossgate.emulator.responses import Response


def respond_json(status: int, document: Mapping[str, Any]) -> Response:
    """Shape a JSON answer."""
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    headers = [
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return Response(status, headers, body)
