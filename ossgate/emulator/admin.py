"""What the emulator says about itself and lets itself be told, under `/_emulator/`.

Answered only where the Host is an address, `localhost`, or the emulator's public name: a page on a foreign domain
that points its name at this machine (DNS rebinding) gets nothing. Such a page could still send a form to the plain
address, so requests that a browser marks as another site's are refused as well; only the page itself may be opened
from a link.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ossgate.emulator.admin_objects import AdminObjects
from ossgate.emulator.callback_key import CallbackKeyRing
from ossgate.emulator.clearing import Clearing
from ossgate.emulator.events import Transcript
from ossgate.emulator.fault_player import FaultPlayer
from ossgate.emulator.fault_rules import ACTIONS, FaultRefused, parse_rule
from ossgate.emulator.json_answers import respond_json
from ossgate.emulator.page_files import find_page_file
from ossgate.emulator.requests import Request, is_ip_address
from ossgate.emulator.responses import Response

PREFIX = "/_emulator/"
LONGEST_WAIT = 25.0
_MAX_BODY = 64 * 1024
_Route = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Admin:
    """Answers the admin routes.

    Args:
        own_host: The host of the emulator's public URL.
    """

    own_host: str
    keys: CallbackKeyRing
    faults: FaultPlayer
    transcript: Transcript
    objects: AdminObjects
    clearing: Clearing
    _routes: Mapping[tuple[str, str], _Route] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        objects, transcript = self.objects, self.transcript
        routes: dict[tuple[str, str], _Route] = {
            ("GET", "callback.pem"): lambda _: self._answer_key(self.keys.served_pem),
            ("GET", "callback-2.pem"): lambda _: self._answer_key(self.keys.rotated.public_pem),
            ("GET", "health"): lambda _: respond_json(200, {"status": "ok"}),
            ("GET", "events"): self._list_events,
            ("DELETE", "events"): lambda _: self._do(transcript.clear),
            ("GET", "faults"): lambda _: self._list_faults(),
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): lambda _: self._clear_faults(),
            ("GET", "actions"): lambda _: respond_json(200, {"actions": _describe_actions()}),
            ("GET", "state"): lambda _: respond_json(200, objects.describe() | {"run": transcript.run_id}),
            ("GET", "objects"): objects.list_objects,
            ("DELETE", "objects"): lambda _: self._do(self.clearing.clear_objects),
            ("GET", "object"): objects.fetch,
            ("POST", "clear"): lambda _: self._do(self.clearing.clear_all),
        }
        object.__setattr__(self, "_routes", routes)

    def handle(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ConnectionCut: A fault closes the key's host.
        """
        if not self._is_own_host(request.host) or _is_cross_site(request):
            return respond_json(403, {"error": "the admin API answers local requests only"})
        path = request.raw_path.removeprefix(PREFIX)
        # A HEAD is answered as a GET whose body is not sent.
        method = "GET" if request.method == "HEAD" else request.method
        page_file = find_page_file(path) if method == "GET" else None
        if page_file is not None:
            return page_file
        if path.startswith("faults/"):
            return self._handle_fault(method, path.removeprefix("faults/"))
        route = self._routes.get((method, path))
        if route is not None:
            return route(request)
        methods = ", ".join(known for known, name in self._routes if name == path)
        if methods:
            return respond_json(405, {"error": f"use {methods}"})
        return respond_json(404, {"error": "there is no such route"})

    def _answer_key(self, pem: str) -> Response:
        status = self.faults.take_key()
        # Of the admin routes this one alone is for others than testers, so a transcript tells of it.
        self.transcript.record("get_callback_key", status=status or 200)
        if status is not None:
            return Response(status, [("Content-Type", "text/plain")], b"a fault hides the key\n")
        return Response(
            200, [("Content-Type", "application/x-pem-file"), ("Cache-Control", "no-store")], pem.encode()
        )

    def _list_events(self, request: Request) -> Response:
        since = _read_number(request.query_value("since"))
        if request.query_value("follow") in ("1", "true"):
            wait = min(float(_read_number(request.query_value("wait")) or LONGEST_WAIT), LONGEST_WAIT)
            events = self.transcript.wait_for_events(since, wait)
        else:
            events = self.transcript.list_events(since)
        last = events[-1]["seq"] if events else max(since, self.transcript.last)
        if request.query_value("format") == "ndjson":
            lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
            headers = [("Content-Type", "application/x-ndjson"), ("Cache-Control", "no-store")]
            return Response(200, headers, lines.encode("utf-8", "replace"))
        return respond_json(200, {"run": self.transcript.run_id, "last": last, "events": events})

    def _list_faults(self) -> Response:
        return respond_json(200, {"faults": self.faults.plan.list_faults()})

    def _add_faults(self, request: Request) -> Response:
        try:
            document = _read_json(request)
            many = document if isinstance(document, list) and document else [document]
            added = self.faults.plan.add_rules([parse_rule(item) for item in many])
        except FaultRefused as refused:
            return respond_json(400, {"error": str(refused)})
        return respond_json(200, {"added": added, "faults": self.faults.plan.list_faults()})

    def _clear_faults(self) -> Response:
        self.faults.plan.clear()
        return self._list_faults()

    def _handle_fault(self, method: str, fault_id: str) -> Response:
        if method not in ("GET", "DELETE"):
            return respond_json(405, {"error": "use GET or DELETE"})
        found = self.faults.plan.find(fault_id)
        if found is None:
            return respond_json(404, {"error": f"there is no fault {fault_id[:40]}"})
        if method == "DELETE":
            self.faults.plan.remove(fault_id)
        return respond_json(200, found)

    @staticmethod
    def _do(action: Callable[[], None]) -> Response:
        action()
        return respond_json(200, {"status": "ok"})

    def _is_own_host(self, host: str) -> bool:
        return host in ("localhost", self.own_host) or is_ip_address(host)


def _is_cross_site(request: Request) -> bool:
    opened = (
        request.method == "GET"
        and request.raw_path == PREFIX
        and request.header("sec-fetch-mode") == "navigate"
        and request.header("sec-fetch-dest") == "document"
    )
    if request.header("sec-fetch-site") in ("cross-site", "same-site"):
        return not opened
    origin = request.header("origin")
    return bool(origin) and urlsplit(origin).netloc != request.header("host")


def _describe_actions() -> list[dict[str, Any]]:
    return [
        {
            "on": on,
            "action": name,
            "title": action.title,
            "parameters": list(action.parameters),
            "defaults": dict(action.defaults),
            "standing": action.standing,
        }
        for (on, name), action in ACTIONS.items()
    ]


def _read_number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0


def _read_json(request: Request) -> object:
    body = bytearray()
    for chunk in request.body.iter_chunks():
        body += chunk
        if len(body) > _MAX_BODY:
            raise FaultRefused("the body is too long")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FaultRefused("the body is not JSON") from error
