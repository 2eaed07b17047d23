"""An error that a page shows: what an edge answered, without the JSON around it."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal with its status."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
