"""What a demo prints: each upload's way, as it happens, in words."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from signer.sizes import format_size

MAX_REMEMBERED = 10_000
SETTLED_AFTER = timedelta(seconds=0.5)
"""Servers gather their lines for a tenth of a second, and a busy machine takes its time."""
_Tell = Callable[[datetime, Mapping[str, Any]], None]
_UPLOAD_ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")


class DemoPrinter:
    """Turns the events of both servers into lines for people, in the order in which they happened.

    The servers tell by two pipes, and each gathers its lines for a moment, so what comes first may have happened last.
    """

    def __init__(self, write: Callable[[str], None], *, clock: Callable[[], datetime]) -> None:
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[tuple[datetime, int, _Tell, Mapping[str, Any]]] = []
        self._numbers = count()
        self._by_key: dict[str, str] = {}

    def hear_server(self, event: Mapping[str, Any]) -> None:
        """Take what the server did."""
        self._hear(self._tell_server, event)

    def hear_emulator(self, event: Mapping[str, Any]) -> None:
        """Take what the local OSS did."""
        self._hear(self._tell_emulator, event)

    def print_settled(self) -> None:
        """Print what happened so long ago that nothing of before can still come."""
        self._print_until(self._clock() - SETTLED_AFTER)

    def print_all(self) -> None:
        """Print what is left."""
        self._print_until(None)

    def _hear(self, tell: _Tell, event: Mapping[str, Any]) -> None:
        try:
            at = datetime.fromisoformat(str(event.get("at")))
        except ValueError:
            at = self._clock()
        if at.tzinfo is None:
            at = at.astimezone()
        with self._lock:
            heappush(self._waiting, (at, next(self._numbers), tell, event))

    def _print_until(self, moment: datetime | None) -> None:
        with self._lock:
            while self._waiting and (moment is None or self._waiting[0][0] <= moment):
                at, _, tell, event = heappop(self._waiting)
                tell(at, event)

    def _tell_server(self, at: datetime, event: Mapping[str, Any]) -> None:
        name, upload_id = str(event.get("event", "")), str(event.get("upload_id", ""))
        if name == "issued":
            if len(self._by_key) >= MAX_REMEMBERED:
                self._by_key.clear()
            self._by_key[str(event.get("object_key"))] = upload_id
            self._print(at, "signed", upload_id, f"{event.get('profile')}: {event.get('object_key')}")
        elif name == "called_back":
            self._print(at, "called back", upload_id, "OSS's signature and our ticket hold")
        elif name == "recorded":
            how = "" if event.get("via") == "callback" else f" by {event.get('via')}"
            self._print(
                at, "recorded", upload_id, f"{event.get('state')}{how}, {format_size(int(event['size']))}"
            )
        elif name == "repeated":
            self._print(at, "repeated", upload_id, "the same answer as before")
        elif name == "callback_refused":
            self._print(at, "refused", upload_id, f"layer {event.get('layer')}: {event.get('reason')}")
        elif name == "bucket_unavailable":
            self._print(at, "unconfirmed", upload_id, str(event.get("reason")))
        elif name in ("crashed", "handler_failed", "handler_overran"):
            self._print(
                at, name.replace("_", " "), upload_id, str(event.get("error") or event.get("reason") or "")
            )

    def _tell_emulator(self, at: datetime, event: Mapping[str, Any]) -> None:
        name, key = str(event.get("event", "")), str(event.get("object_key", ""))
        upload_id = self._by_key.get(key) or next(iter(_UPLOAD_ID.findall(key)), "")
        status = event.get("status")
        if name == "stored":
            self._print(
                at, "posted", upload_id, f"{format_size(int(event.get('size', 0)))} stored in the bucket"
            )
        elif name == "callback" and status != 200:
            self._print(at, "not confirmed", upload_id, f"OSS answers 203: {event.get('message') or status}")
        elif name in ("refused", "post_object") and isinstance(status, int) and status >= 400:
            self._print(
                at, "OSS refused", upload_id, f"{status} {event.get('code', '')}: {event.get('message', '')}"
            )

    def _print(self, at: datetime, what: str, upload_id: str, detail: str) -> None:
        moment = at.astimezone(self._clock().tzinfo).strftime("%H:%M:%S")
        self._write(f"  {moment}  {what:<13}  {upload_id[-8:] or '-':<8}  {detail}")
