"""What the emulator says about itself, under `/_emulator/`.

Answered only where the Host is an address, `localhost`, or the emulator's public name: a page on a foreign domain
that points its name at this machine (DNS rebinding) gets nothing. Such a page could still send a form to the plain
address, so whatever changes something also refuses requests that a browser marks as another site's.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ossgate.emulator.events import Transcript
from ossgate.emulator.faults import FaultPlan, FaultRefused
from ossgate.emulator.requests import Request, is_ip_address
from ossgate.emulator.responses import Response

PREFIX = "/_emulator/"
_MAX_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Admin:
    """Answers the admin routes.

    Args:
        own_host: The host of the emulator's public URL.
    """

    public_pem: str
    own_host: str
    faults: FaultPlan
    transcript: Transcript

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if not self._is_own_host(request.host) or _is_cross_site(request):
            return _respond_json(403, {"error": "the admin API answers local requests only"})
        route = (request.method, request.raw_path.removeprefix(PREFIX))
        if route == ("GET", "callback.pem"):
            return Response(200, [("Content-Type", "application/x-pem-file")], self.public_pem.encode())
        if route == ("GET", "health"):
            return _respond_json(200, {"status": "ok"})
        if route == ("GET", "events"):
            return _respond_json(200, {"events": self.transcript.list_events()})
        if route[1] == "faults":
            return self._handle_faults(request)
        return _respond_json(404, {"error": "there is no such route"})

    def _handle_faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "POST":
            try:
                self.faults.add(_read_json(request))
            except FaultRefused as refused:
                return _respond_json(400, {"error": str(refused)})
        elif request.method != "GET":
            return _respond_json(405, {"error": "use GET, POST or DELETE"})
        return _respond_json(200, {"faults": self.faults.list_faults()})

    def _is_own_host(self, host: str) -> bool:
        return host in ("localhost", self.own_host) or is_ip_address(host)


def _is_cross_site(request: Request) -> bool:
    if request.header("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    origin = request.header("origin")
    return bool(origin) and urlsplit(origin).netloc != request.header("host")


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


def _respond_json(status: int, document: dict[str, Any]) -> Response:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Response(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")], body)
