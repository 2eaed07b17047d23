"""Refusals of who asks: each has a code and a way out, and no HTTP status."""

from __future__ import annotations


class AccessDenied(Exception):
    """A caller who may not do this; ``authenticate`` tells that other credentials could."""

    def __init__(self, code: str, message: str, *, hint: str, authenticate: bool) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.authenticate = authenticate


class KeysUnavailable(Exception):
    """The keys of an identity provider were never fetched, so nobody's token can be judged; answered with 503."""

    code = "jwt_keys_unavailable"


def credentials_refused(code: str, message: str, hint: str) -> AccessDenied:
    """Return the refusal of credentials that are there and wrong; answered with 401."""
    return AccessDenied(code, message, hint=hint, authenticate=True)


def request_forbidden(code: str, message: str, hint: str) -> AccessDenied:
    """Return the refusal of somebody whom other credentials would not help; answered with 403."""
    return AccessDenied(code, message, hint=hint, authenticate=False)
