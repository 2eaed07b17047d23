"""``[dialects.NAME]`` becomes contracts at their paths; two at one address, and one at an address of ours, are refused."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import fields, replace

from ossgate.access_assembly import ProblemBook
from ossgate.dialect_settings import DialectSettings
from ossgate.problems import Location, Problem
from ossgate.settings import LoadedSettings
from signer.dialects.contract import ConfiguredDialect, Dialect, Envelope, Options
from signer.dialects.registry import DIALECTS
from signer.profiles import MAX_DIALECT_BYTES

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
OWN_TREES = (
    "/v1", "/callback", "/uploads", "/console", "/static", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics",
)  # fmt: skip
"""Addresses of ours, with everything below them."""
OWN_METHODS = {"/form": frozenset({"POST"})}
"""Addresses of which only some methods are ours."""

Address = tuple[tuple[str, ...], str]


class DialectAssembler:
    """Builds what ``[dialects]`` describes."""

    def __init__(self, loaded: LoadedSettings, book: ProblemBook) -> None:
        self._settings = loaded.settings
        self._book = book
        self._taken: list[tuple[str, Address]] = []

    def build(self) -> tuple[ConfiguredDialect, ...]:
        """Return the contracts that are on; what cannot work is in the book."""
        built = (self._build(name, written) for name, written in self._settings.dialects.items())
        return tuple(one for one in built if one is not None)

    def _build(self, name: str, written: DialectSettings) -> ConfiguredDialect | None:
        here = ("dialects", name)
        if not _NAME.fullmatch(name) or len(name) > MAX_DIALECT_BYTES:
            self._add(here, "cannot name a dialect", f"use at most {MAX_DIALECT_BYTES} of a-z, 0-9, _ and -")
        contract = written.contract or name
        dialect = DIALECTS.get(contract)
        if dialect is None:
            where = (*here, "contract") if written.contract else here
            self._add(where, f"{contract!r} is no client contract", _suggest(contract, DIALECTS))
            return None
        self._check_profile(here, written, dialect)
        options = self._choose_options(here, written, dialect)
        paths = written.paths or dialect.usual_paths
        for path in paths:
            self._check_path(here, name, path, dialect)
        return ConfiguredDialect(name, dialect, options, written.profile, tuple(paths))

    def _check_profile(self, here: Location, written: DialectSettings, dialect: Dialect) -> None:
        profile = self._settings.profiles.get(written.profile)
        if profile is None:
            self._add(
                (*here, "profile"),
                f"there is no profile {written.profile!r}",
                _suggest(written.profile, self._settings.profiles),
            )
            return
        if dialect.names_keys and not profile.key_prefix:
            self._add(
                (*here, "profile"),
                f"its clients name their own files, and the profile {written.profile} has no key_prefix",
                f'add key_prefix = "{written.profile}/{{date}}/" to [profiles.{written.profile}]',
            )
        if "sts" in dialect.ways and self._settings.oss.sts is None:
            self._add(
                here,
                "hands out temporary credentials, and there is no role to make them of",
                "set [oss.sts] role_arn",
            )
        for via in dialect.ways:
            if via not in profile.via:
                self._add(
                    (*here, "profile"),
                    f"its clients upload by {via}, which the profile {written.profile} does not take",
                    f'add "{via}" to [profiles.{written.profile}] via, or name another profile',
                )

    def _choose_options(self, here: Location, written: DialectSettings, dialect: Dialect) -> Options:
        if written.variant and written.variant not in dialect.variants:
            known = [variant for variant in dialect.variants if variant]
            self._add(
                (*here, "variant"),
                f"{dialect.name} has no variant {written.variant!r}",
                "one of " + ", ".join(known) if known else "leave it out: it has one form only",
            )
        changes: dict[str, object] = {"variant": written.variant or dialect.variants[0]}
        for option in fields(Options):
            value = getattr(written, option.name)
            if option.name == "variant" or value is None:
                continue
            if option.name not in dialect.choices:
                known = sorted(dialect.choices)
                self._add(
                    (*here, option.name),
                    f"changes nothing in {dialect.name}",
                    "take it out" + (f"; known here are {', '.join(known)}" if known else ""),
                )
            changes[option.name] = Envelope(**value.model_dump()) if option.name == "envelope" else value
        return replace(dialect.defaults, **changes)  # type: ignore[arg-type]

    def _check_path(self, here: Location, name: str, path: str, dialect: Dialect) -> None:
        where = (*here, "paths")
        if path == "/":
            self._add(
                where, "/ is the upload page, and never an alias", f"for instance {dialect.usual_paths[0]}"
            )
            return
        if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
            self._add(where, f"{path!r} is no path", "write it as /a/b, without a slash at its end")
            return
        for address in _list_addresses(path, dialect):
            segments, method = address
            written = "/" + "/".join(segments)
            if _is_own(segments, method):
                self._add(where, f"{method} {written} is an address of ossgate itself", "choose another path")
                return
            for other, taken in self._taken:
                if other != name and _meet(taken, address):
                    self._add(
                        where,
                        f"{method} {written} belongs to [dialects.{other}] already",
                        "give one of the two another path",
                    )
                    return
            self._taken.append((name, address))

    def _add(self, where: Location, message: str, hint: str) -> None:
        self._book.add(Problem(where, message, hint))


def _list_addresses(path: str, dialect: Dialect) -> Iterator[Address]:
    for route in dialect.routes:
        for method in route.methods:
            yield tuple((path + route.suffix).strip("/").split("/")), method


def _is_own(segments: tuple[str, ...], method: str) -> bool:
    path = "/" + "/".join(segments)
    return method in OWN_METHODS.get(path, ()) or any(
        path == tree or path.startswith(tree + "/") for tree in OWN_TREES
    )


def _meet(one: Address, other: Address) -> bool:
    """Tell whether one request could be for both; a segment in angle brackets is any."""
    return (
        one[1] == other[1]
        and len(one[0]) == len(other[0])
        and all(a == b or "<" in a + b for a, b in zip(one[0], other[0], strict=True))
    )


def _suggest(written: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(written, known, n=1)
    return f"did you mean {near[0]}?" if near else "known are " + ", ".join(known)
