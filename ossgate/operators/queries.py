"""The query of operators' requests: filters, times and cursors become what the ledger searches by."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ossgate.ledger import CallbackFilter, State, UploadFilter, Verdict
from signer.texts import holds_hidden
from signer.upload_ids import is_upload_id, new_upload_id

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
MAX_TEXT = 256
COUNTED = timedelta(days=1)
UPLOAD_PARAMETERS = (
    "state", "profile", "subject", "q", "created_from", "created_until", "cursor", "limit",
)  # fmt: skip
COUNT_PARAMETERS = ("created_from",)
INBOX_PARAMETERS = (
    "verdict", "layer", "code", "upload_id", "remote_addr", "received_from", "received_until", "cursor", "limit",
)  # fmt: skip
LAYERS = ("request", "signature", "ticket", "bucket", "ledger")
# RFC 3339, section 5.6; a leap second is the one before it.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LIMIT = re.compile(r"[1-9][0-9]{0,2}")


class QueryInvalid(Exception):
    """A parameter that is not known, or not of its form; answered with 422."""

    code = "field_invalid"

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Arguments(Protocol):
    """The parameters of a query, each perhaps several times."""

    def __iter__(self) -> Iterator[str]: ...

    def getlist(self, key: str, /) -> list[str]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    below_id: str | None
    limit: int


def parse_upload_query(arguments: Arguments) -> tuple[UploadFilter, int]:
    """Return which uploads are wanted, and how many.

    Raises:
        QueryInvalid: Answered with 422.
    """
    given = _read_once(arguments, UPLOAD_PARAMETERS)
    page = _parse_page(given)
    state = given.get("state")
    if state is not None and state not in set(State):
        raise QueryInvalid("there is no such state", "states are " + ", ".join(State))
    from_id, below_id = _parse_range(given, "created_from", "created_until", page)
    return UploadFilter(
        state=state,
        profile=_parse_text(given, "profile"),
        subject=_parse_text(given, "subject"),
        words=_parse_text(given, "q") or "",
        from_id=from_id,
        below_id=below_id,
    ), page.limit


def parse_inbox_query(arguments: Arguments) -> tuple[CallbackFilter, int]:
    """Return which callbacks are wanted, and how many.

    Raises:
        QueryInvalid: Answered with 422.
    """
    given = _read_once(arguments, INBOX_PARAMETERS)
    page = _parse_page(given)
    for name, known in (("verdict", tuple(Verdict)), ("layer", LAYERS)):
        if name in given and given[name] not in known:
            raise QueryInvalid(f"there is no such {name}", f"there are {', '.join(known)}")
    from_id, below_id = _parse_range(given, "received_from", "received_until", page)
    return CallbackFilter(
        verdict=given.get("verdict"),
        layer=given.get("layer"),
        code=_parse_text(given, "code"),
        upload_id=_parse_text(given, "upload_id"),
        remote_addr=_parse_text(given, "remote_addr"),
        from_id=from_id,
        below_id=below_id,
    ), page.limit


def parse_count_query(arguments: Arguments, *, now: datetime) -> datetime:
    """Return from when on is counted, by default for a day.

    Raises:
        QueryInvalid: Answered with 422.
    """
    return _parse_time(_read_once(arguments, COUNT_PARAMETERS), "created_from") or now - COUNTED


def first_id_of(moment: datetime) -> str:
    """Return the least id that can have been made at a time or later."""
    return new_upload_id(max(moment, datetime.fromtimestamp(0, UTC)), random_bytes=bytes)


def encode_cursor(last_id: str) -> str:
    """Return the cursor that stands for what follows an id; what is in it is nobody's business."""
    return urlsafe_b64encode(f"1{last_id}".encode()).decode().rstrip("=")


def _read_once(arguments: Arguments, known: Collection[str]) -> dict[str, str]:
    # A filter that is misspelt would else show everything, as if it had been obeyed.
    for name in arguments:
        if name not in known:
            raise QueryInvalid("there is a parameter that is not known", "known are " + ", ".join(known))
        if len(arguments.getlist(name)) > 1:
            raise QueryInvalid(f"the parameter {name} is there more than once", "send it once")
    return {name: arguments.getlist(name)[0] for name in arguments}


def _parse_page(given: dict[str, str]) -> Page:
    limit = given.get("limit", str(DEFAULT_LIMIT))
    if not _LIMIT.fullmatch(limit) or int(limit) > MAX_LIMIT:
        raise QueryInvalid("the parameter limit is no such number", f"send 1 to {MAX_LIMIT}")
    return Page(_parse_cursor(given["cursor"]) if "cursor" in given else None, int(limit))


def _parse_range(
    given: dict[str, str], begin_name: str, end_name: str, page: Page
) -> tuple[str | None, str | None]:
    """Return the least id, and the id that all wanted ones are below: the earlier of the cursor and the end."""
    until = _parse_time(given, end_name)
    ends = [end for end in (page.below_id, first_id_of(until) if until else None) if end is not None]
    begin = _parse_time(given, begin_name)
    return first_id_of(begin) if begin else None, min(ends, default=None)


def _parse_cursor(written: str) -> str:
    try:
        decoded = urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode("ascii")
    except ValueError:
        decoded = ""
    if not decoded.startswith("1") or not is_upload_id(decoded[1:]) or encode_cursor(decoded[1:]) != written:
        raise QueryInvalid("this is no cursor of ours", "send the next_cursor of the page before, unchanged")
    return decoded[1:]


def _parse_text(given: dict[str, str], name: str) -> str | None:
    text = given.get(name)
    if text is not None and (not text or len(text) > MAX_TEXT or holds_hidden(text)):
        raise QueryInvalid(
            f"the parameter {name} is no text of 1 to {MAX_TEXT} characters that can be seen", "leave it out"
        )
    return text


def _parse_time(given: dict[str, str], name: str) -> datetime | None:
    written = given.get(name)
    if written is None:
        return None
    upper = written.upper()
    if _TIME.fullmatch(upper):
        try:
            return datetime.fromisoformat(re.sub(r"(:\d\d):60", r"\1:59", upper)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise QueryInvalid(f"the parameter {name} is no time", "send one such as 2026-01-02T03:04:05Z")
