"""What a demo prints: each upload's way, as it happens, in words."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from signer.sizes import format_size

MAX_REMEMBERED = 10_000
_UPLOAD_ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")


class DemoPrinter:
    """Turns the events of both servers into lines for people."""

    def __init__(self, write: Callable[[str], None], *, clock: Callable[[], datetime]) -> None:
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self._by_key: dict[str, str] = {}

    def tell_server(self, event: Mapping[str, Any]) -> None:
        """Print what the server did."""
        name, upload_id = str(event.get("event", "")), str(event.get("upload_id", ""))
        if name == "issued":
            with self._lock:
                if len(self._by_key) >= MAX_REMEMBERED:
                    self._by_key.clear()
                self._by_key[str(event.get("object_key"))] = upload_id
            self._print("signed", upload_id, f"{event.get('profile')}: {event.get('object_key')}")
        elif name == "called_back":
            self._print("called back", upload_id, "OSS's signature and our ticket hold")
        elif name == "recorded":
            how = "" if event.get("via") == "callback" else f" by {event.get('via')}"
            self._print(
                "recorded", upload_id, f"{event.get('state')}{how}, {format_size(int(event['size']))}"
            )
        elif name == "repeated":
            self._print("repeated", upload_id, "the same answer as before")
        elif name == "callback_refused":
            self._print("refused", upload_id, f"layer {event.get('layer')}: {event.get('reason')}")
        elif name == "bucket_unavailable":
            self._print("unconfirmed", upload_id, str(event.get("reason")))
        elif name in ("crashed", "handler_failed", "handler_overran"):
            self._print(
                name.replace("_", " "), upload_id, str(event.get("error") or event.get("reason") or "")
            )

    def tell_emulator(self, event: Mapping[str, Any]) -> None:
        """Print what the local OSS did."""
        name, key = str(event.get("event", "")), str(event.get("object_key", ""))
        # The two servers' lines come by two pipes: this one may be read before the one that tells the key's upload id.
        upload_id = self._by_key.get(key) or next(iter(_UPLOAD_ID.findall(key)), "")
        status = event.get("status")
        if name == "stored":
            self._print("posted", upload_id, f"{format_size(int(event.get('size', 0)))} stored in the bucket")
        elif name == "callback" and status != 200:
            self._print("not confirmed", upload_id, f"OSS answers 203: {event.get('message') or status}")
        elif name in ("refused", "post_object") and isinstance(status, int) and status >= 400:
            self._print(
                "OSS refused", upload_id, f"{status} {event.get('code', '')}: {event.get('message', '')}"
            )

    def _print(self, what: str, upload_id: str, detail: str) -> None:
        moment = self._clock().strftime("%H:%M:%S")
        self._write(f"  {moment}  {what:<13}  {upload_id[-8:] or '-':<8}  {detail}")
