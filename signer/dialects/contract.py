"""What a contract is made of: a request as its client sends it, an answer as its client reads it, and the options between them.

Everything here is pure. An edge (`signer.dialect_views`) turns a web request into a `DialectRequest`, has the `Wish` that a contract reads
from it granted, and sends the `DialectAnswer` that the contract makes of the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from signer.dialects.wishes import Wish
from signer.facts import Via

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class DialectRequest:
    """One request of a client. ``arguments`` are the parts of the path that a route names, decoded."""

    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""
    accept: str = ""


@dataclass(frozen=True, slots=True)
class DialectAnswer:
    """One answer, to the byte."""

    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of ours, before a contract has dressed it."""

    status: int
    code: str
    message: str
    hint: str = ""

    @property
    def sentence(self) -> str:
        """The message and the way out, for clients that show one text."""
        return f"{self.message}: {self.hint}" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class Envelope:
    """The object that some back ends wrap all their answers in."""

    code: str = "code"
    message: str = "message"
    data: str = "data"
    ok: int | str = 200
    ok_message: str = "ok"


@dataclass(frozen=True, slots=True)
class Options:
    """How one table of the settings wants its contract spoken.

    Attributes:
        variant: Which of the contract's own variants.
        dir_slash: Whether ``dir`` ends with a slash; the policy's prefix does in any case.
        callback: Whether the client posts the callback field, so that the policy may demand it.
        status_field: Whether the client posts ``success_action_status=200``, so that the policy may demand it.
        extras: Whether fields are added that the original contract does not have.
        real_status: Whether errors have real HTTP statuses where the client would rather have 200.
        content_type: What the client sends as Content-Type when it does not say.
        envelope: What every answer is wrapped in.
    """

    variant: str = ""
    dir_slash: bool = True
    callback: bool = True
    status_field: bool = True
    extras: bool = True
    real_status: bool = False
    content_type: str = ""
    envelope: Envelope | None = None


Read = Callable[[DialectRequest, Options], Wish]
Render = Callable[[Any, DialectRequest, Options], DialectAnswer]
Refuse = Callable[[Refusal, DialectRequest, Options], DialectAnswer]


@dataclass(frozen=True, slots=True)
class Route:
    """One address of a contract: what follows its path, and how it is read and answered."""

    suffix: str
    methods: tuple[str, ...]
    read: Read
    render: Render


def no_reply(options: Options) -> Mapping[str, Any]:
    """Return no reply of its own: uploads of the contract get the profile's."""
    return {}


@dataclass(frozen=True, slots=True)
class Dialect:
    """One client contract.

    Attributes:
        name: Its name in the settings.
        usual_paths: Where its clients look for it.
        variants: What `Options.variant` may be, the default first.
        defaults: The options of a table that says nothing.
        choices: Names of the options that change anything in this contract.
        reply: What the callback answers to its clients, unless the profile says otherwise.
        query_bearer: Whether its clients cannot send headers, so that ``?token=`` counts.
        ways: The ways of upload that its clients use, which the profile has to list.
        names_keys: Whether its clients name their own files, so that the profile needs a ``key_prefix``.
    """

    name: str
    usual_paths: tuple[str, ...]
    routes: tuple[Route, ...]
    refuse: Refuse
    variants: tuple[str, ...] = ("",)
    defaults: Options = field(default_factory=Options)
    choices: frozenset[str] = frozenset()
    reply: Callable[[Options], Mapping[str, Any]] = no_reply
    query_bearer: bool = False
    ways: tuple[Via, ...] = ()
    names_keys: bool = False


@dataclass(frozen=True, slots=True)
class ConfiguredDialect:
    """One table of the settings: a contract, how it is spoken, under which profile, and where."""

    name: str
    dialect: Dialect
    options: Options
    profile: str
    paths: tuple[str, ...]


def answer_json(
    data: object, options: Options, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> DialectAnswer:
    """Return data as JSON, in the options' envelope when there is one."""
    envelope = options.envelope
    if envelope is not None:
        data = {envelope.code: envelope.ok, envelope.message: envelope.ok_message, envelope.data: data}
    return DialectAnswer(orjson.dumps(data), status, JSON, headers or {})


def refuse_in_envelope(refusal: Refusal, envelope: Envelope, options: Options) -> DialectAnswer:
    """Return an error as enveloped back ends write theirs: HTTP 200, the status inside, unless real statuses are wished."""
    # The page compares with one value for success, so any other says failure; zero would be somebody's success.
    data = {envelope.code: refusal.status, envelope.message: refusal.sentence, envelope.data: None}
    return DialectAnswer(orjson.dumps(data), refusal.status if options.real_status else 200)


def refuse_json(refusal: Refusal, request: DialectRequest, options: Options) -> DialectAnswer:
    """Return an error with its real status, and as text under both names that clients look for."""
    if options.envelope is not None:
        return refuse_in_envelope(refusal, options.envelope, options)
    return DialectAnswer(
        orjson.dumps({"error": refusal.code, "message": refusal.sentence, "hint": refusal.hint}),
        refusal.status,
    )
