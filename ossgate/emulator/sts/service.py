"""STS as the emulator sees it: answers calls, knows its credentials, decides what they may do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import (
    TOKEN_EXPIRED,
    TOKEN_INVALID,
    TOKEN_MISSING,
    TOKEN_OF_ANOTHER_KEY,
    UNKNOWN_ACCESS_KEY,
    ErrorKind,
    OssError,
)
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.sts import sts_errors
from ossgate.emulator.sts.access_policy import Decision
from ossgate.emulator.sts.answers import respond, respond_with_sts_error, write_request_id
from ossgate.emulator.sts.assume_role import describe_session, read_assume_role
from ossgate.emulator.sts.authorization import Authorizer, PolicyDenied
from ossgate.emulator.sts.call import Call, find_format, read_call
from ossgate.emulator.sts.nonces import WINDOW, NonceMemory
from ossgate.emulator.sts.options import StsOptions
from ossgate.emulator.sts.request_facts import RequestFacts, read_facts
from ossgate.emulator.sts.session_tokens import (
    KEY_ID_PREFIX,
    SessionCredentials,
    TokenForged,
    TokenMalformed,
    TokenSeal,
)
from ossgate.emulator.sts.signatures import SignedCall, read_signature
from ossgate.emulator.sts.sts_errors import StsError

VERSION = "2015-04-01"
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z", re.ASCII)
TOKEN_FORGED = ErrorKind(403, TOKEN_INVALID.code, TOKEN_INVALID.message, "0002-00000008")
# What a fault makes of a call.
_FAULTS = {
    "throttle": sts_errors.THROTTLED,
    "refuse": sts_errors.NO_PERMISSION,
    "fail": sts_errors.INTERNAL_ERROR,
}


@dataclass(frozen=True, slots=True)
class Sts:
    """The STS of one emulator.

    Args:
        access_keys: Secrets of the long-term keys, by ID.
        take_fault: Tells what befalls the next call: `throttle`, `refuse`, `fail`, or None.
    """

    options: StsOptions
    seal: TokenSeal
    region: str
    access_keys: Mapping[str, str] = field(repr=False)
    now: Callable[[], datetime]
    take_fault: Callable[[], str | None] = lambda: None
    _nonces: NonceMemory = field(default_factory=NonceMemory, init=False, repr=False)

    def handle(self, request: Request, raw_query: str) -> Response:
        """Answer a call; refusals are answers too.

        Args:
            raw_query: Undecoded: a `+` in it is a blank to STS, and a plus to OSS.
        """
        request_id = write_request_id(request.request_id)
        answer_format = "JSON"
        try:
            call = read_call(request, raw_query)
            answer_format = find_format(call.parameters, call.headers)
            document = self._assume_role(call, request)
        except StsError as error:
            return respond_with_sts_error(
                error, answer_format=answer_format, request_id=request_id, host_id=request.host_id
            )
        return respond(
            document, answer_format=answer_format, root="AssumeRoleResponse", request_id=request_id
        )

    def find_credentials(self, access_key_id: str, security_token: str, now: datetime) -> SessionCredentials:
        """Look up temporary credentials that a request to OSS names.

        Raises:
            OssError: The ID is none of STS's, or the token is missing, invalid, foreign or expired.
        """
        extras = [("OSSAccessKeyId", access_key_id)]
        if not access_key_id.startswith(KEY_ID_PREFIX):
            raise OssError(UNKNOWN_ACCESS_KEY, extras=extras)
        if not security_token:
            raise OssError(TOKEN_MISSING, extras=extras)
        try:
            found = self.seal.open(security_token)
        except TokenMalformed as error:
            raise OssError(TOKEN_INVALID) from error
        except TokenForged as error:
            raise OssError(TOKEN_FORGED) from error
        if found.access_key_id != access_key_id:
            raise OssError(TOKEN_OF_ANOTHER_KEY)
        if now >= found.session.expires_at:
            raise OssError(TOKEN_EXPIRED)
        return found

    def authorize(
        self,
        identity: Credentials | None,
        operation: str,
        bucket: str,
        object_key: str,
        facts: RequestFacts,
        *,
        open_to_all: Callable[[], bool] = lambda: False,
    ) -> None:
        """Let an operation pass, or refuse it; whoever holds no session is not judged here.

        Args:
            operation: OSS's own name of it, as in `permissions.OPERATIONS`.
            open_to_all: Tells whether an ACL lets anybody do this; then only an explicit Deny refuses it.

        Raises:
            OssError: The session's policies do not allow it.
            KeyError: There is no such operation.
        """
        if not isinstance(identity, SessionCredentials):
            return
        try:
            self._authorizer.check(
                identity.session,
                self.options.find_role(identity.session.role_arn),
                operation,
                bucket=bucket,
                object_key=object_key,
                facts=facts,
            )
        except PolicyDenied as denied:
            if denied.decision is Decision.EXPLICIT_DENY or not open_to_all():
                raise

    def read_facts(
        self,
        request: Request,
        form_fields: Mapping[str, str] | None = None,
    ) -> RequestFacts:
        """Gather what policies may ask of a request.

        Args:
            form_fields: Of a form upload, by lower-case name.

        Raises:
            OssError: The source of a copy is not UTF-8.
        """
        return read_facts(
            request,
            form_fields or {},
            now=self.now(),
            secure_transport=self.options.secure_transport,
        )

    @property
    def _authorizer(self) -> Authorizer:
        return Authorizer(self.options.account_id, self.region)

    def _assume_role(self, call: Call, request: Request) -> dict[str, object]:
        signed = read_signature(call)
        now = self.now()
        caller = self._find_caller(signed, now)
        timestamp = _check_timestamp(signed.timestamp, now)
        signed.check(caller.access_key_secret)
        if not self._nonces.use(signed.access_key_id, signed.nonce, timestamp=timestamp, now=now):
            raise StsError(sts_errors.NONCE_USED)
        fault = self.take_fault()
        if fault is not None:
            raise StsError(_FAULTS[fault])
        if signed.action != "AssumeRole":
            raise StsError(sts_errors.API_UNKNOWN)
        if signed.version != VERSION:
            raise StsError(sts_errors.VERSION_INVALID)
        if self.options.caller_is_root and not isinstance(caller, SessionCredentials):
            raise StsError(sts_errors.ROOT_REFUSED)
        wanted = read_assume_role(call, self.options)
        if isinstance(caller, SessionCredentials):
            self._check_chained(caller, wanted.role.arn, self.read_facts(request))
        credentials = self.seal.issue(wanted.start_session(now))
        return describe_session(credentials, wanted.source_identity)

    def _find_caller(self, signed: SignedCall, now: datetime) -> Credentials:
        key_id, token = signed.access_key_id, signed.security_token
        if key_id in self.options.disabled_access_key_ids:
            raise StsError(sts_errors.ACCESS_KEY_DISABLED)
        if not key_id.startswith(KEY_ID_PREFIX):
            secret = self.access_keys.get(key_id)
            if secret is None:
                raise StsError(sts_errors.ACCESS_KEY_UNKNOWN)
            if token:
                raise StsError(sts_errors.TOKEN_OF_ANOTHER_KEY)
            return Credentials(key_id, secret)
        if not token:
            raise StsError(sts_errors.TOKEN_MISSING)
        try:
            found = self.seal.open(token)
        except (TokenMalformed, TokenForged) as error:
            raise StsError(sts_errors.TOKEN_MALFORMED) from error
        if found.access_key_id != key_id:
            raise StsError(sts_errors.TOKEN_OF_ANOTHER_KEY)
        if now >= found.session.expires_at:
            raise StsError(sts_errors.TOKEN_EXPIRED)
        return found

    def _check_chained(self, caller: SessionCredentials, arn: str, facts: RequestFacts) -> None:
        role = self.options.find_role(caller.session.role_arn)
        if not self._authorizer.may_assume(caller.session, role, arn, facts):
            raise StsError(sts_errors.NO_PERMISSION)


def _check_timestamp(text: str, now: datetime) -> datetime:
    if not _TIMESTAMP.fullmatch(text):
        raise StsError(sts_errors.TIMESTAMP_MALFORMED)
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise StsError(sts_errors.TIMESTAMP_MALFORMED) from error
    if abs(now - moment) > WINDOW:
        raise StsError(sts_errors.TIMESTAMP_EXPIRED)
    return moment
