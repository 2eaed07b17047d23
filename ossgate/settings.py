"""The one reader of the environment and of ``ossgate.toml``.

Each value may also come from the environment as ``OSSGATE_SECTION__KEY``, which wins over the file. A secret is never written down here: it is
``env:NAME`` or ``file:path``, the path taken from the folder of the file.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ossgate.access_settings import AccessSettings, LimitsSettings
from ossgate.delivery_settings import DeliverySettings
from ossgate.dialect_settings import DialectSettings
from ossgate.problems import VARIABLE_DELIMITER, VARIABLE_PREFIX, Problem, SettingsInvalid
from ossgate.section import Section as _Section
from ossgate.validation_problems import SHOWN_CHARACTERS, leave_out, translate_errors

CONFIG_VARIABLE = "OSSGATE_CONFIG"
DEFAULT_FILE = "ossgate.toml"
_TOML_PLACE = re.compile(r"at line (\d+)")

Override = Literal[
    "emulator_endpoint",
    "wildcard_origin",
    "anonymous_without_quota",
    "http_callback",
    "http_webhook",
    "short_keys",
    "readable_secrets",
    "http_jwks",
    "jwt_without_audience",
    "public_write",
    "unverified_bucket",
]


class ServerSettings(_Section):
    """How the server listens."""

    host: str = Field("127.0.0.1", description="address that the server binds")
    port: int = Field(8000, ge=0, le=65535, description="port that the server binds; 0 takes a free one")
    workers: int = Field(1, ge=1, le=256, description="gunicorn worker processes")
    threads: int = Field(
        16, ge=1, le=512, description="threads of each worker; 32 or more where the disk is slow"
    )
    origins: tuple[str, ...] = Field(
        (), description="origins of foreign pages that may call /v1 (CORS), exact, for every profile"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="how many reverse proxies in front set X-Forwarded-For"
    )
    metrics: Literal["loopback", "operator", "off"] = Field(
        "loopback", description="who gets /metrics: this machine and operators, operators alone, or nobody"
    )


class StsSettings(_Section):
    """The role that temporary credentials for clients are made of."""

    role_arn: str = Field(
        description='role that may write to the bucket, such as "acs:ram::1234567890123456:role/uploader"'
    )
    duration: int = Field(
        3600,
        ge=900,
        le=43200,
        description="seconds that credentials live; below half an hour SDKs ask again at every step",
    )
    endpoint: str = Field(
        "", description='address of STS; default that of the region, "https://sts.REGION.aliyuncs.com"'
    )
    session_name: str = Field("ossgate", description="name of the sessions in the account's audit log")
    external_id: str = Field("", description="external id, when the role's trust policy asks for one")


class OssSettings(_Section):
    """The bucket."""

    region: str = Field(description='the bucket\'s region, such as "cn-hangzhou"')
    bucket: str = Field(description="the bucket's name")
    host: str = Field(
        "", description="the bucket's own domain, to which clients send; default bucket.endpoint"
    )
    endpoint: str = Field("", description="the OSS endpoint that we ask; default that of the region")
    signature: Literal["v4", "v1"] = Field("v4", description="signature version; v1 for old buckets alone")
    access_key_id: str = Field(
        "", description="env:NAME or file:path; default the variable OSS_ACCESS_KEY_ID"
    )
    access_key_secret: str = Field(
        "", description="env:NAME or file:path; default the variable OSS_ACCESS_KEY_SECRET"
    )
    credentials: Literal["keys", "chain"] = Field(
        "keys",
        description="whence the server has its own: the two above, or Alibaba's provider chain (RAM role, OIDC, …)",
    )
    sts: StsSettings | None = Field(None, description="the role of temporary credentials")
    link_seconds: int = Field(3600, ge=1, le=43200, description="how long links to stored objects live")


class CallbackSettings(_Section):
    """Whom OSS calls."""

    url: tuple[str, ...] = Field(description="one to five URLs of this server's /callback, tried in turn")
    host: str = Field("", description="Host header that OSS sends; default the URL's own")
    body_type: Literal["json", "form"] = Field("json", description="form of the callback body")
    body: str = Field("", description="the callback body's template; default what the three layers need")
    sni: bool | None = Field(None, description="whether OSS sends TLS SNI; default true for https")
    grace_seconds: int = Field(
        86400, ge=0, le=30 * 86400, description="how long after a grant's end its callback is still believed"
    )
    public_keys: dict[str, str] = Field(
        default_factory=dict, description="key URL to file:path of its PEM, beside OSS's own key"
    )


class KeysSettings(_Section):
    """Our own keys, newest last."""

    ticket: tuple[str, ...] = Field(
        description="keys that sign tickets; each env:NAME or file:path, newest last"
    )
    seal: tuple[str, ...] = Field(description="keys that make seals; each env:NAME or file:path, newest last")


class DatabaseSettings(_Section):
    """The ledger's database."""

    url: str = Field("sqlite:///var/ossgate.sqlite3", description="SQLAlchemy URL, or env:NAME or file:path")


class InboxSettings(_Section):
    """How many callbacks are kept as they came, about, and for how long: docs/operations.md."""

    believed: int = Field(100_000, ge=0, le=10**8, description="newest believed callbacks; 0 keeps none")
    others: int = Field(
        10_000,
        ge=0,
        le=10**8,
        description="newest callbacks of each other verdict (refused, repeated, unconfirmed, unavailable, crashed)",
    )
    days: int = Field(30, ge=1, le=36_500, description="none is kept longer")


class QuotaSettings(_Section):
    """What one address or subject may have."""

    pending_uploads: int | None = Field(
        None, ge=1, description="uploads that were granted and have not arrived"
    )
    bytes: str | int | None = Field(None, description='bytes promised and arrived, such as "2GB"')
    period: Literal["day", "ever"] = Field(
        "day",
        description="`day`: what was granted on a UTC day, deleted since or not; `ever`: what is stored",
    )


class VariableSettings(_Section):
    """One client variable."""

    type: Literal["string", "integer", "boolean"] = Field("string", description="its JSON type")
    required: bool = Field(False, description="whether a request without it is refused")
    max_length: int = Field(128, description="longest text in bytes")
    choices: tuple[str, ...] = Field((), description="the texts that it may be; default any")


class ProfileSettings(_Section):
    """One kind of upload."""

    allow: tuple[str, ...] = Field(
        description='who may use it: "anonymous", "api_key", "jwt", "proxy", "session", "bearer"'
    )
    origins: tuple[str, ...] = Field(
        (), description="origins of foreign pages that may use it (CORS), exact, beside those of [server]"
    )
    title: str = Field("", description="its name on the upload page")
    titles: dict[str, str] = Field(
        default_factory=dict, description='its name in further languages, such as { zh = "照片" }'
    )
    bucket: str = Field("", description="another bucket than [oss]; likewise the three below")
    region: str = Field("", description="its region")
    host: str = Field("", description="its own domain")
    endpoint: str = Field("", description="its endpoint")
    object_key: str = Field(
        "{profile}/{date}/{upload_id}{ext}",
        description="template of object keys: {subject} {profile} {date} {year} {month} {day} {upload_id} {name} {ext}",
    )
    content_types: tuple[str, ...] = Field(("*/*",), description='media types, "image/*" or "*/*"')
    min_size: str | int = Field(1, description="smallest file")
    max_size: str | int = Field(
        "20MB", description="largest file; OSS takes 5 GB in one form or PUT, 48.8 TB in parts"
    )
    expires_in: int = Field(
        0, description="seconds that a grant lives; default 300 and the largest file at 128 KiB/s"
    )
    via: tuple[Literal["post", "put", "multipart", "sts"], ...] = Field(
        ("post", "put", "multipart"),
        description='ways of upload: a form, one presigned PUT, presigned parts; "sts", temporary credentials, only when named',
    )
    key_prefix: str = Field(
        "",
        description="template of prefixes below which a client that names its own files may write many, ending in a slash; default none",
    )
    put_callback: Literal["header", "query"] = Field(
        "header", description="where a presigned PUT carries the callback; the signature binds it in both"
    )
    storage_class: str = Field("Standard", description="OSS storage class")
    object_acl: str = Field("default", description="OSS object ACL")
    disposition: Literal["attachment", "inline"] = Field(
        "attachment", description="whether links download the object or show it"
    )
    keep_days: int = Field(
        0,
        description="days after its arrival when an object is to be gone (docs/keeping.md); 0 keeps it for ever",
    )
    thumbnails: dict[str, str] = Field(
        default_factory=dict,
        description='links to smaller pictures of images, by name: { small = "image/resize,w_200" }, as x-oss-process has it',
    )
    variables: dict[str, VariableSettings] = Field(
        default_factory=dict, description="client variables by name"
    )
    quota: QuotaSettings | None = Field(None, description="what one address or subject may have")
    reply: dict[str, Any] = Field(default_factory=dict, description="template of the callback's reply")
    reply_limit: str | int = Field("1KB", description="longest reply")
    handler: str = Field("", description='"package.module:function" that is called once for each arrival')
    verify_bucket: bool = Field(
        True, description="whether each callback is checked against the bucket (HEAD)"
    )


class Settings(BaseSettings):
    """All settings, frozen."""

    model_config = SettingsConfigDict(
        env_prefix=VARIABLE_PREFIX,
        env_nested_delimiter=VARIABLE_DELIMITER,
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
    )

    server: ServerSettings = Field(default_factory=lambda: ServerSettings.model_validate({}))
    oss: OssSettings
    callback: CallbackSettings
    keys: KeysSettings
    database: DatabaseSettings = Field(default_factory=lambda: DatabaseSettings.model_validate({}))
    inbox: InboxSettings = Field(default_factory=lambda: InboxSettings.model_validate({}))
    access: AccessSettings = Field(default_factory=lambda: AccessSettings.model_validate({}))
    limits: LimitsSettings = Field(default_factory=lambda: LimitsSettings.model_validate({}))
    profiles: dict[str, ProfileSettings] = Field(description="kinds of upload by name", min_length=1)
    dialects: dict[str, DialectSettings] = Field(
        default_factory=dict, description="client contracts that are switched on, by name"
    )
    delivery: DeliverySettings = Field(default_factory=lambda: DeliverySettings.model_validate({}))
    allow_insecure: tuple[Override, ...] = Field((), description="checks that are switched off, by name")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose values come in as arguments."""
        return _Environment(settings_cls), init_settings


class _Environment(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Leave what is not JSON as it is: validation then says what is wrong with it, and all else with it."""
        try:
            return json.loads(value)
        except ValueError:
            return value


class LoadedSettings:
    """Settings with where they came from, so that secrets are found and problems name their line.

    Args:
        problems: What was refused already and left out; `assemble` tells it together with what it finds in the rest.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        source: str,
        text: str,
        folder: Path,
        environ: Mapping[str, str],
        problems: Sequence[Problem] = (),
    ) -> None:
        self.settings = settings
        self.source = source
        self.text = text
        self.folder = folder
        self.problems = tuple(problems)
        self._environ = environ
        self._read_readable = False

    @property
    def read_readable_secrets(self) -> bool:
        """Whether a secret was read that others can read, since an override lets that pass."""
        return self._read_readable

    @property
    def variables(self) -> Collection[str]:
        """The names in the environment."""
        return self._environ.keys()

    def read_environment(self, name: str) -> str:
        """Return a variable that is not one of ours, or nothing."""
        return self._environ.get(name, "")

    def read_secret(self, written: str) -> bytes:
        """Return what ``env:NAME`` or ``file:path`` stands for.

        Raises:
            ValueError: Neither, or nothing there; the message says what to do.
            PermissionError: A file that others than its owner may read.
        """
        content, mode = self._read(written)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            if "readable_secrets" not in self.settings.allow_insecure:
                raise PermissionError(f"{written} can be read by others than its owner")
            self._read_readable = True
        return content

    def read_public(self, written: str) -> bytes:
        """Return what ``env:NAME`` or ``file:path`` stands for, when it is no secret.

        Raises:
            ValueError: Neither, or nothing there.
        """
        return self._read(written)[0]

    def resolve_path(self, written: str) -> Path:
        """Return a path of the settings, taken from the folder of their file."""
        return (self.folder / Path(written).expanduser()).resolve()

    def _read(self, written: str) -> tuple[bytes, int]:
        kind, _, name = written.partition(":")
        if kind == "env":
            value = self._environ.get(name)
            if not value:
                raise ValueError(f"the environment variable {name} is not set")
            return value.encode().strip(), 0
        if kind != "file" or not name:
            raise ValueError("a secret is written as env:NAME or file:path, never in the file itself")
        path = self.resolve_path(name)
        try:
            mode = path.stat().st_mode if os.name == "posix" else 0
            return path.read_bytes().strip(), mode
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror}") from error


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> LoadedSettings:
    """Return the settings of a file and the environment.

    Args:
        path: By default what ``OSSGATE_CONFIG`` names, else ``ossgate.toml`` here when it exists.

    Raises:
        SettingsInvalid: There are none, or what is wrong leaves nothing to judge. Other problems are handed on, and
            `assemble` raises them together with its own.
    """
    variables = os.environ if environ is None else environ
    named = path or (Path(variables[CONFIG_VARIABLE]) if variables.get(CONFIG_VARIABLE) else None)
    found = named or Path(DEFAULT_FILE)
    has_file = named is not None or found.exists()
    text = _read_text(found) if has_file else ""
    source = str(found) if has_file else "the environment"
    data = _parse(text, source)
    problems = _find_stray_variables(variables)
    try:
        settings = Settings(**data)
    except ValidationError as error:
        if not has_file and not _list_variables(variables):
            problem = Problem(
                (),
                f"there is no {DEFAULT_FILE} here, and {CONFIG_VARIABLE} names no other",
                "write one with `ossgate init`; `ossgate demo` needs none",
            )
            raise SettingsInvalid([problem], source="no settings") from error
        errors = error.errors(include_url=False)
        problems += translate_errors(errors, Settings)
        try:
            settings = Settings(**leave_out(data, errors))
        except ValidationError:
            raise SettingsInvalid(problems, source=source, text=text, variables=variables) from error
    return LoadedSettings(
        settings,
        source=source,
        text=text,
        folder=found.resolve().parent,
        environ=variables,
        problems=problems,
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "it is not UTF-8"
        problem = Problem(
            (),
            f"cannot be read: {reason}",
            f"write one with `ossgate init`, or name another in {CONFIG_VARIABLE}",
        )
        raise SettingsInvalid([problem], source=str(path)) from error


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line = text.splitlines()[int(place[1]) - 1].strip()[:SHOWN_CHARACTERS] if place else ""
        hint = (
            f"look at {line!r}: text needs quotes, lists brackets, true and false small letters"
            if line
            else ""
        )
        raise SettingsInvalid([Problem((), f"is not TOML: {error}", hint)], source=source) from error


def _list_variables(variables: Mapping[str, str]) -> list[str]:
    """Return the variables that mean to be settings; others of ours have no section."""
    return [
        name for name in variables if name.upper().startswith(VARIABLE_PREFIX) and VARIABLE_DELIMITER in name
    ]


def _find_stray_variables(variables: Mapping[str, str]) -> list[Problem]:
    # Within a section pydantic finds what is misspelt; a misspelt section it would pass over.
    problems = []
    for name in _list_variables(variables):
        section = name[len(VARIABLE_PREFIX) :].partition(VARIABLE_DELIMITER)[0].lower()
        if section not in Settings.model_fields:
            near = difflib.get_close_matches(section, Settings.model_fields, n=1)
            hint = f"did you mean {near[0]}?" if near else "sections are " + ", ".join(Settings.model_fields)
            problems.append(Problem((section, *_split_rest(name)), f"there is no section {section}", hint))
    return problems


def _split_rest(name: str) -> tuple[str, ...]:
    return tuple(name[len(VARIABLE_PREFIX) :].lower().split(VARIABLE_DELIMITER)[1:])
