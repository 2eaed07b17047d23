"""Which signature a request carries, and whether it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ossgate.emulator import auth_v1, auth_v4
from ossgate.emulator.credentials import Credentials, CredentialSet
from ossgate.emulator.errors import (
    AUTHORIZATION_MALFORMED,
    SIGNATURE_MISMATCH,
    TWO_SIGNATURES,
    OssError,
)
from ossgate.emulator.readings import list_readings
from ossgate.emulator.requests import Request


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Checks signatures of header and URL; form signatures are checked by `post_signature`."""

    credentials: CredentialSet
    region: str
    now: Callable[[], datetime]

    def identify(self, request: Request) -> tuple[Request, Credentials | None]:
        """Tell whose request this is, and how it is to be read: the signature decides between readings.

        Raises:
            OssError: A signature is given and holds under no reading.
        """
        refused: OssError | None = None
        for reading in list_readings(request):
            try:
                return reading, self.authenticate(reading)
            except OssError as error:
                if error.kind is not SIGNATURE_MISMATCH:
                    raise
                # The first reading is the usual one, and its refusal the useful one.
                refused = refused or error
        assert refused is not None
        raise refused

    def authenticate(self, request: Request) -> Credentials | None:
        """Tell whose request this is; None is anonymous.

        Raises:
            OssError: A signature is given and does not hold.
        """
        authorization = request.header("authorization")
        signed_v4 = request.query_value("x-oss-signature") is not None or (
            request.query_value("x-oss-signature-version") == auth_v4.ALGORITHM
        )
        signed_v1 = request.query_value("Signature") is not None or (
            request.query_value("OSSAccessKeyId") is not None
        )
        if authorization and (signed_v1 or signed_v4):
            raise OssError(TWO_SIGNATURES)
        now = self.now()
        if authorization.startswith(auth_v4.ALGORITHM):
            return auth_v4.check_header(request, self.credentials, region=self.region, now=now)
        if authorization.startswith("OSS "):
            return auth_v1.check_header(request, self.credentials, now=now)
        if authorization:
            raise OssError(AUTHORIZATION_MALFORMED)
        if signed_v4:
            return auth_v4.check_query(request, self.credentials, region=self.region, now=now)
        if signed_v1:
            return auth_v1.check_query(request, self.credentials, now=now)
        return None
