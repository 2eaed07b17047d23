"""Who may sign: AccessKeys and STS credentials known to the emulator."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ossgate.emulator.errors import (
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    TOKEN_MISSING,
    TOKEN_OF_ANOTHER_KEY,
    UNKNOWN_ACCESS_KEY,
    OssError,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """An AccessKey; with a security token, a temporary one.

    Args:
        expires_at: Aware time after which a temporary key is refused; None means never.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    expires_at: datetime | None = None


def _find_nothing(access_key_id: str, security_token: str, now: datetime) -> Credentials:
    raise OssError(UNKNOWN_ACCESS_KEY, extras=[("OSSAccessKeyId", access_key_id)])


class CredentialSet:
    """The credentials that the emulator accepts.

    Args:
        find_issued: Looks up, by ID, token and time, what STS issued; raises what `find` raises.
    """

    def __init__(
        self,
        credentials: Iterable[Credentials],
        find_issued: Callable[[str, str, datetime], Credentials] = _find_nothing,
    ) -> None:
        self._by_id = {item.access_key_id: item for item in credentials}
        self._find_issued = find_issued

    def find(self, access_key_id: str, security_token: str, *, now: datetime) -> Credentials:
        """Look up the key that a request names, with the token it carries.

        Raises:
            OssError: The key is unknown, its token is missing, foreign or expired.
        """
        found = self._by_id.get(access_key_id)
        if found is None:
            return self._find_issued(access_key_id, security_token, now)
        if not found.security_token:
            # A long-term key: official samples send an empty token field, which is tolerated.
            if security_token:
                raise OssError(TOKEN_INVALID)
            return found
        if not security_token:
            raise OssError(TOKEN_MISSING, extras=[("OSSAccessKeyId", access_key_id)])
        if security_token != found.security_token:
            foreign = any(security_token == item.security_token for item in self._by_id.values())
            raise OssError(TOKEN_OF_ANOTHER_KEY if foreign else TOKEN_INVALID)
        if found.expires_at is not None and now >= found.expires_at:
            raise OssError(TOKEN_EXPIRED)
        return found
