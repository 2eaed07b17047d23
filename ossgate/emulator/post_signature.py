"""The signature of a form: version 1 or 4, over the policy's base64 text.

Sources: https://help.aliyun.com/zh/oss/developer-reference/signature-version-1 ,
https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend and the pages of
EC 0002-00000701 to 713.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ossgate.emulator import auth_v1, auth_v4
from ossgate.emulator.credentials import Credentials, CredentialSet
from ossgate.emulator.errors import (
    FORM_CREDENTIAL_BLANK,
    FORM_CREDENTIAL_INVALID,
    FORM_CREDENTIAL_MISSING,
    FORM_DATE_INVALID,
    FORM_DATE_SKEWED,
    FORM_KEY_ID_EMPTY_V1,
    FORM_POLICY_EMPTY_V1,
    FORM_POLICY_MISSING,
    FORM_SCOPE_INVALID,
    FORM_SIGNATURE_BLANK,
    FORM_SIGNATURE_EMPTY_V1,
    FORM_SIGNATURE_MISMATCH,
    FORM_SIGNATURE_MISSING,
    FORM_VERSION_UNSUPPORTED,
    POLICY_EXPIRED,
    SIGNATURE_MISMATCH,
    ErrorKind,
    OssError,
)
from ossgate.emulator.form_parser import FormFields
from ossgate.emulator.policy import Policy, parse_policy

MAX_AHEAD = timedelta(minutes=15)
MAX_AGE = timedelta(days=7)
_V4_FIELDS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature")
_V4_CONDITIONS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date")


@dataclass(frozen=True, slots=True)
class SignedForm:
    """What a valid form signature proves.

    Args:
        signed_at: The form's `x-oss-date`; None in version 1.
    """

    policy: Policy
    credentials: Credentials
    signed_at: datetime | None = None

    def check_expiration(self, now: datetime) -> None:
        """Judge the time; done again once the whole body has arrived.

        Raises:
            OssError: The policy has expired, or the signature is older than seven days.
        """
        self.policy.check_expiration(now)
        if self.signed_at is not None and now > self.signed_at + MAX_AGE:
            raise OssError(POLICY_EXPIRED)


def check_form_signature(
    fields: FormFields, credentials: CredentialSet, *, region: str, now: datetime
) -> SignedForm | None:
    """Verify a form's signature; None when the form is anonymous.

    Raises:
        OssError: The set of fields is incomplete, or one of them does not hold.
    """
    present = fields.values
    if any(name in present for name in _V4_FIELDS):
        return _check_v4(fields, credentials, region=region, now=now)
    if any(name in present for name in ("ossaccesskeyid", "policy", "signature")):
        return _check_v1(fields, credentials, now=now)
    return None


def _check_v1(fields: FormFields, credentials: CredentialSet, *, now: datetime) -> SignedForm:
    for name, kind in (
        ("ossaccesskeyid", FORM_KEY_ID_EMPTY_V1),
        ("policy", FORM_POLICY_EMPTY_V1),
        ("signature", FORM_SIGNATURE_EMPTY_V1),
    ):
        if not fields.get(name):
            raise OssError(kind)
    policy = parse_policy(fields.get("policy"))
    found = credentials.find(fields.get("ossaccesskeyid"), fields.get("x-oss-security-token"), now=now)
    expected = auth_v1.compute_signature(found.access_key_secret, fields.get("policy"))
    _compare(SIGNATURE_MISMATCH, found, expected, fields.get("signature"), fields.get("policy"))
    return SignedForm(policy, found)


def _check_v4(fields: FormFields, credentials: CredentialSet, *, region: str, now: datetime) -> SignedForm:
    if fields.get("x-oss-signature-version") != auth_v4.ALGORITHM:
        raise OssError(FORM_VERSION_UNSUPPORTED)
    if not fields.get("policy"):
        raise OssError(FORM_POLICY_MISSING)
    _demand(fields, "x-oss-signature", FORM_SIGNATURE_MISSING, FORM_SIGNATURE_BLANK)
    _demand(fields, "x-oss-credential", FORM_CREDENTIAL_MISSING, FORM_CREDENTIAL_BLANK)
    scope = _parse_scope(fields.get("x-oss-credential"), region)
    stamp = fields.get("x-oss-date")
    signed_at = auth_v4.parse_stamp(stamp)
    if signed_at is None or stamp[:8] != scope.day:
        raise OssError(FORM_DATE_INVALID)
    if signed_at > now + MAX_AHEAD:
        raise OssError(FORM_DATE_SKEWED)
    policy = parse_policy(fields.get("policy"))
    found = credentials.find(scope.access_key_id, fields.get("x-oss-security-token"), now=now)
    expected = auth_v4.compute_signature(found.access_key_secret, scope, fields.get("policy"))
    _compare(FORM_SIGNATURE_MISMATCH, found, expected, fields.get("x-oss-signature"), fields.get("policy"))
    demanded = (*_V4_CONDITIONS, "x-oss-security-token") if found.security_token else _V4_CONDITIONS
    for name in demanded:
        if not policy.names(name):
            text = f"Invalid according to Policy: the policy has no condition for {name}."
            raise OssError(ErrorKind(403, "AccessDenied", text))
    return SignedForm(policy, found, signed_at)


def _parse_scope(credential: str, region: str) -> auth_v4.Scope:
    if not credential.endswith("/" + auth_v4.TERMINATOR):
        raise OssError(FORM_SCOPE_INVALID)
    scope = auth_v4.parse_credential(credential)
    if scope is None or not scope.access_key_id or scope.region != region or scope.product != "oss":
        raise OssError(FORM_CREDENTIAL_INVALID)
    return scope


def _demand(fields: FormFields, name: str, missing: ErrorKind, blank: ErrorKind) -> None:
    if name not in fields.values:
        raise OssError(missing)
    if not fields.get(name).strip():
        raise OssError(blank)


def _compare(kind: ErrorKind, found: Credentials, expected: str, given: str, encoded_policy: str) -> None:
    if not auth_v1.same_text(expected, given):
        raise OssError(
            kind,
            extras=[
                ("OSSAccessKeyId", found.access_key_id),
                ("SignatureProvided", given),
                ("StringToSign", encoded_policy),
            ],
        )
