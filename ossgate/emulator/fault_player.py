"""What faults do to a request: from its first byte to the last of its answer.

A request is served by one thread from beginning to end, so what is played at it is kept for that thread: the clock,
the listing and the callback ask here without being told of the request.
"""

import ipaddress
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ossgate.emulator.errors import (
    FAULT_HEADER_INVALID,
    INTERNAL_ERROR,
    SERVICE_BUSY,
    SLOW_DOWN,
    ErrorKind,
    OssError,
)
from ossgate.emulator.events import Transcript
from ossgate.emulator.fault_matching import ActiveFault, Occasion
from ossgate.emulator.fault_plan import FaultPlan
from ossgate.emulator.fault_rules import FaultRefused, parse_header
from ossgate.emulator.holding_place import HoldingPlace
from ossgate.emulator.options import FaultHeaders
from ossgate.emulator.requests import MAX_KEY_BYTES, Request
from ossgate.emulator.responses import Response

HEADER = "x-ossgate-fault"
_LAST_WAIT = 6.0
_KINDS = {kind.code: kind for kind in (INTERNAL_ERROR, SERVICE_BUSY, SLOW_DOWN)}
_BY_STATUS = {500: INTERNAL_ERROR, 503: SERVICE_BUSY}


class ConnectionCut(ConnectionError):
    """A fault cuts the connection: nothing more is sent, not even a farewell."""


@dataclass(slots=True)
class _Played:
    """What is played at one request."""

    request: Request
    operation: str
    own: list[ActiveFault] = field(default_factory=list)
    object_key: str | None = ""
    skew: timedelta = timedelta()
    stale_seconds: float = 0.0
    response_faults: list[ActiveFault] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


class FaultPlayer:
    """Plays faults.

    Args:
        plan: The faults of API and scenario.
        now: The true clock.
        headers: Whose requests may bring faults along.
    """

    def __init__(
        self,
        plan: FaultPlan,
        transcript: Transcript,
        *,
        now: Callable[[], datetime],
        headers: FaultHeaders = "loopback",
    ) -> None:
        self.plan = plan
        self.transcript = transcript
        self._now = now
        self._headers = headers
        self._local = threading.local()
        self._stopping = threading.Event()
        self._deferred: set[threading.Thread] = set()
        self.holding = HoldingPlace()

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the emulator's end."""
        self._stopping.wait(seconds)

    def defer(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something later, unless the emulator has stopped by then."""

        def run() -> None:
            if not self._stopping.wait(seconds):
                action()
            self._deferred.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="emulator-deferred", daemon=True)
        self._deferred.add(thread)
        thread.start()

    def close(self) -> None:
        """End all waiting."""
        self._stopping.set()
        self.holding.close()
        for thread in tuple(self._deferred):
            thread.join(_LAST_WAIT)

    @contextmanager
    def serve(self, request: Request, operation: str) -> Iterator[None]:
        """Keep what is played at a request for the time of a `with` block.

        Args:
            operation: OSS's own name of what is asked for.
        """
        self._local.played = _Played(request, operation)
        try:
            yield
        finally:
            self._local.played = None

    def begin(self) -> None:
        """Play what befalls the request before anything is done.

        Raises:
            OssError: It is refused.
            ConnectionCut: Its connection is cut.
        """
        played = self._require()
        played.own = self._read_header(played.request)
        # The key of a form stands in its fields.
        played.object_key = None if played.operation == "PostObject" else played.request.object_key
        self._play_request(played, keyed_only=False)

    def name_key(self, object_key: str) -> None:
        """Play what waited for a form's key to be known.

        Raises:
            OssError: The form is refused.
            ConnectionCut: Its connection is cut.
        """
        played = self._played
        if played is not None:
            played.object_key = object_key
            self._play_request(played, keyed_only=True)

    def finish(self, response: Response) -> None:
        """Have the answer cut or paused where faults say so."""
        played = self._require()
        for fault in played.response_faults:
            parameters = fault.rule.parameters
            if fault.rule.action == "reset":
                response.cut_after = int(parameters["after"])
            else:
                response.pause_after, response.pause_seconds = int(parameters["after"]), parameters["seconds"]

    def now(self) -> datetime:
        """Tell the time as the emulator's clock has it for this request."""
        played = self._played
        return self._now() if played is None else self._now() + played.skew

    def tell_staleness(self) -> float:
        """How many seconds old the listing is that this request gets."""
        played = self._played
        return 0.0 if played is None else played.stale_seconds

    @property
    def ids(self) -> list[str]:
        """The faults played at this request so far."""
        played = self._played
        return [] if played is None else played.ids

    @property
    def object_key(self) -> str:
        """The key that the request is about, as far as it is known, and no longer than a key may be."""
        played = self._played
        return "" if played is None else (played.object_key or "")[:MAX_KEY_BYTES]

    def take_callback(self, operation: str, bucket: str, object_key: str) -> dict[str, ActiveFault]:
        """Use up what befalls a callback, by group."""
        played = self._played
        taken = self._take(played, ("callback",), Occasion(operation, bucket, object_key))
        return {fault.rule.group: fault for fault in taken}

    def take_sts(self) -> str | None:
        """Use up what befalls a call of STS: `refuse`, `throttle`, `fail`, or None."""
        taken = self._take(self._played, ("sts",), Occasion("AssumeRole"))
        return taken[0].rule.action if taken else None

    def take_key(self) -> int | None:
        """Use up what befalls a look at the callback key: a status, or None.

        Raises:
            ConnectionCut: The connection is cut.
        """
        taken = self._take(self._played, ("key",), Occasion("GetCallbackKey"))
        if not taken:
            return None
        if taken[0].rule.action == "close":
            raise ConnectionCut("a fault closes the key's host")
        return int(taken[0].rule.parameters["status"])

    def _play_request(self, played: _Played, *, keyed_only: bool) -> None:
        occasion = Occasion(played.operation, played.request.bucket, played.object_key)
        places = ["request", "response", "clock"]
        if played.operation.startswith("List"):
            places.append("list")
        taken = self._take(played, places, occasion, keyed_only=keyed_only)
        refusal = None
        for fault in taken:
            rule, parameters = fault.rule, fault.rule.parameters
            if rule.on == "clock":
                played.skew = timedelta(seconds=parameters["seconds"])
            elif rule.on == "list":
                played.stale_seconds = parameters["seconds"]
            elif rule.on == "response":
                played.response_faults.append(fault)
            elif rule.action == "status":
                refusal = _shape_refusal(parameters)
            elif rule.action == "stall":
                self._mark(played.request, parameters["after"], _Stall(self.sleep, parameters["seconds"]))
            else:
                self._mark(played.request, parameters["after"], _cut)
        if refusal is not None:
            raise refusal

    @staticmethod
    def _mark(request: Request, after: int, effect: Callable[[], None]) -> None:
        if after <= request.body.received:
            effect()
        else:
            request.body.add_mark(after, effect)

    def _take(
        self, played: _Played | None, places: Any, occasion: Occasion, *, keyed_only: bool = False
    ) -> list[ActiveFault]:
        own = [] if played is None else played.own
        taken = self.plan.take(places, occasion, own=own, keyed_only=keyed_only)
        for fault in taken:
            if played is not None:
                played.ids.append(fault.fault_id)
            self.transcript.record(
                "fault",
                fault_id=fault.fault_id,
                fault=f"{fault.rule.on}.{fault.rule.action}",
                operation=occasion.operation,
                bucket=occasion.bucket or None,
                object_key=occasion.object_key or None,
                request_id=None if played is None else played.request.request_id,
            )
        return taken

    def _read_header(self, request: Request) -> list[ActiveFault]:
        text = request.header(HEADER)
        if not text or self._headers == "never":
            return []
        if self._headers == "loopback" and not _is_loopback(request.remote_addr):
            return []
        try:
            rules = parse_header(text)
        except FaultRefused as refused:
            raise OssError(FAULT_HEADER_INVALID, message=f"{HEADER}: {refused}.") from refused
        return [ActiveFault("header", rule) for rule in rules]

    @property
    def _played(self) -> _Played | None:
        found: _Played | None = getattr(self._local, "played", None)
        return found

    def _require(self) -> _Played:
        played = self._played
        if played is None:
            raise RuntimeError("no request is being served by this thread")
        return played


@dataclass(frozen=True, slots=True)
class _Stall:
    sleep: Callable[[float], None]
    seconds: float

    def __call__(self) -> None:
        self.sleep(self.seconds)


def _cut() -> None:
    raise ConnectionCut("a fault cuts the request")


def _shape_refusal(parameters: Any) -> OssError:
    code, status = parameters.get("code", ""), parameters.get("status")
    kind = _KINDS.get(code) if code else _BY_STATUS.get(status or 500)
    if kind is None:
        # A code of the caller's own, or a status without one.
        kind = ErrorKind(status or 500, code or "InternalError", "This refusal was asked for.")
    if status is not None and status != kind.status:
        kind = ErrorKind(status, kind.code, kind.message, kind.ec)
    return OssError(kind, message=parameters.get("message"))


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
