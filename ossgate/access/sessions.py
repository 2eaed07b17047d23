"""The session of an application beside us: Flask's signed cookie, read and never written.

Its format is documented at https://flask.palletsprojects.com/en/stable/api/#flask.sessions.SecureCookieSessionInterface.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha1
from typing import Any

from flask.sessions import session_json_serializer
from itsdangerous import BadData, URLSafeTimedSerializer

from ossgate.access.callers import SESSION, Caller
from ossgate.access.csrf import require_own_page
from ossgate.access.headers import Environ, read_cookie
from ossgate.access.subjects import read_subject

SALT = "cookie-session"
MAX_COOKIE_LENGTH = 8192
_COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class SessionCookie:
    """Reads who is logged in at the application that signs the cookie.

    Args:
        secrets: The application's SECRET_KEY, and its fallbacks before it.
        lifetime: Seconds that a cookie counts after it was signed.

    Raises:
        ValueError: From the constructor: no cookie can have this name.
    """

    def __init__(self, cookie: str, secrets: Sequence[bytes], subject_key: str, *, lifetime: int) -> None:
        if not _COOKIE_NAME.fullmatch(cookie):
            raise ValueError(f"{cookie!r} is no cookie's name")
        self._cookie = cookie
        self._subject_key = subject_key
        self._lifetime = lifetime
        # SHA-1 is Flask's own choice here; inside HMAC it still holds.
        self._serializer = URLSafeTimedSerializer(
            list(secrets),
            salt=SALT,
            serializer=session_json_serializer,
            signer_kwargs={"key_derivation": "hmac", "digest_method": sha1},
        )

    def identify(self, environ: Environ, address: str) -> Caller | None:
        """Return who is logged in, or nothing.

        A cookie that the application itself would not take is no session: browsers keep sending stale ones.

        Raises:
            AccessDenied: A page of another origin uses the session, or it names nobody that can be named.
        """
        cookie = read_cookie(environ, self._cookie)
        session = self._read(cookie) if cookie else None
        value = session.get(self._subject_key) if isinstance(session, dict) else None
        if value is None:
            return None
        subject = read_subject(value, code="session_invalid", source=f"the session's {self._subject_key}")
        require_own_page(environ)
        return Caller(SESSION, subject, address, subject=subject)

    def _read(self, cookie: str) -> Any:
        if len(cookie) > MAX_COOKIE_LENGTH:
            return None
        try:
            return self._serializer.loads(cookie, max_age=self._lifetime)
        except BadData:
            return None
