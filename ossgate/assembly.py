"""Settings become working parts; whatever cannot work is collected, so that all problems are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from callback.arrived import ReceivingProfile
from callback.handlers import load_handler
from callback.public_keys import PinnedKeys, PublicKeyInvalid
from callback.reply import ReplyTemplate, compile_reply
from ossgate.access import Access
from ossgate.access.callers import ANONYMOUS
from ossgate.access.rates import RateLimits
from ossgate.access_assembly import AccessAssembler, ProblemBook
from ossgate.bucket.sts import AssumedRole
from ossgate.delivery.errors import SinkInvalid
from ossgate.delivery_assembly import DeliveryAssembler, DeliveryParts
from ossgate.dialect_assembly import DialectAssembler
from ossgate.ledger import DatabaseUrlInvalid, InboxBounds, Ledger
from ossgate.oss_assembly import OssAssembler
from ossgate.problems import Location, Problem, SettingsInvalid
from ossgate.settings import LoadedSettings, Override, ProfileSettings
from signer.callback_body import (
    DEFAULT_FORM,
    DEFAULT_FORM_IMAGE,
    DEFAULT_JSON,
    DEFAULT_JSON_IMAGE,
    compile_body,
)
from signer.callback_param import CallbackDefinition, define_callback
from signer.credentials import Credentials
from signer.dialects.contract import ConfiguredDialect
from signer.errors import ConfigurationError
from signer.object_keys import compile_key_template, compile_prefix_template
from signer.places import BucketPlace, define_place, is_local_host
from signer.prefix_grants import PrefixKeys
from signer.profiles import Profile, Quota
from signer.seal import SealKeys
from signer.sizes import parse_size
from signer.thumbnails import check_thumbnails
from signer.ticket import MIN_KEY_BYTES, TicketKeys
from signer.variables import VariableRule

PUBLIC_WRITE = "public-read-write"
MIN_SHORT_KEY_BYTES = 8
"""The shortest key that even the override `short_keys` lets pass."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an application is put together from."""

    credentials: Callable[[], Credentials]
    role: AssumedRole | None
    ticket_keys: TicketKeys
    seal_keys: SealKeys
    prefix_keys: PrefixKeys
    public_keys: PinnedKeys
    profiles: Mapping[str, ReceivingProfile]
    access: Access
    limits: RateLimits
    ledger: Ledger
    delivery: DeliveryParts
    dialects: tuple[ConfiguredDialect, ...]
    grace: timedelta
    bucket_origins: tuple[str, ...]
    overridden: tuple[Override, ...]


def assemble(loaded: LoadedSettings) -> Parts:
    """Return the parts that settings describe. No file but those of the settings is opened, no socket, no thread.

    Raises:
        SettingsInvalid: All problems together.
    """
    return _Assembler(loaded).assemble()


class _Assembler:
    def __init__(self, loaded: LoadedSettings) -> None:
        self._loaded = loaded
        self._settings = loaded.settings
        self._problems: list[Problem] = list(loaded.problems)
        self._overridden: list[Override] = []

    def assemble(self) -> Parts:
        ticket_keys: list[bytes] = []
        ticket = seal = prefix = public = ledger = None
        book = ProblemBook(self._problems.append, self._problem_at, self._require)
        oss = OssAssembler(self._loaded, book)
        credentials, role = oss.build_credentials(), oss.build_role()
        at_least = MIN_SHORT_KEY_BYTES if "short_keys" in self._settings.allow_insecure else MIN_KEY_BYTES
        with self._problem_at(("keys", "ticket")):
            ticket_keys = self._read_keys("ticket", self._settings.keys.ticket)
            ticket = TicketKeys(ticket_keys, at_least=at_least)
        with self._problem_at(("keys", "seal")):
            seal_keys = self._read_keys("seal", self._settings.keys.seal)
            seal = SealKeys(seal_keys, at_least=at_least)
            prefix = PrefixKeys(seal_keys, at_least=at_least)
        with self._problem_at(("callback", "public_keys")):
            public = PinnedKeys(self._read_public_keys())
        delivery = DeliveryAssembler(self._loaded, book).build()
        with self._problem_at(("database", "url")):
            kept = self._settings.inbox
            ledger = Ledger(
                self._read_database_url(),
                inbox=InboxBounds(kept.believed, kept.others, kept.days),
                routes=delivery.routes,
            )
        dialects = DialectAssembler(self._loaded, book).build()
        profiles = self._build_profiles(dialects)
        access_assembler = AccessAssembler(self._loaded, book)
        access = access_assembler.build_access(ticket_keys)
        limits = access_assembler.build_limits()
        self._check_overrides(profiles)
        if self._loaded.read_readable_secrets:
            self._note_override("readable_secrets")
        if self._problems:
            raise SettingsInvalid(
                self._problems,
                source=self._loaded.source,
                text=self._loaded.text,
                variables=self._loaded.variables,
            )
        assert ticket
        assert seal
        assert prefix
        assert public
        assert ledger
        return Parts(
            credentials=credentials,
            role=role,
            ticket_keys=ticket,
            seal_keys=seal,
            prefix_keys=prefix,
            public_keys=public,
            profiles=profiles,
            access=access,
            limits=limits,
            ledger=ledger,
            delivery=delivery,
            dialects=dialects,
            grace=timedelta(seconds=self._settings.callback.grace_seconds),
            bucket_origins=_list_origins(profiles.values()),
            overridden=tuple(self._overridden),
        )

    @contextmanager
    def _problem_at(self, location: Location) -> Iterator[None]:
        try:
            yield
        except (ConfigurationError, DatabaseUrlInvalid, SinkInvalid) as error:
            self._problems.append(Problem(location, str(error), getattr(error, "hint", "")))
        except PermissionError as error:
            self._problems.append(
                Problem(location, str(error), "chmod 600 the file, or add readable_secrets to allow_insecure")
            )
        except (PublicKeyInvalid, ValueError) as error:
            self._problems.append(Problem(location, str(error)))

    def _read_keys(self, purpose: str, written: tuple[str, ...]) -> list[bytes]:
        keys = [self._loaded.read_secret(one) for one in written]
        if "short_keys" in self._settings.allow_insecure and any(len(key) < MIN_KEY_BYTES for key in keys):
            self._note_override("short_keys")
        return keys

    def _read_public_keys(self) -> dict[str, bytes]:
        return {
            url: self._loaded.read_public(written)
            for url, written in self._settings.callback.public_keys.items()
        }

    def _read_database_url(self) -> str:
        url = self._settings.database.url
        if url.startswith(("env:", "file:")):
            url = self._loaded.read_secret(url).decode()
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.startswith(prefix + "/") and ":memory:" not in url:
            # A relative path belongs to the settings' folder, wherever the server is started from.
            return prefix + str(self._loaded.resolve_path(url.removeprefix(prefix)))
        return url

    def _build_profiles(self, dialects: Sequence[ConfiguredDialect]) -> dict[str, ReceivingProfile]:
        built = {}
        for name, written in self._settings.profiles.items():
            profile = self._build_profile(name, written, [one for one in dialects if one.profile == name])
            if profile is not None:
                built[name] = profile
        return built

    def _build_profile(
        self, name: str, written: ProfileSettings, dialects: Sequence[ConfiguredDialect]
    ) -> ReceivingProfile | None:
        before = len(self._problems)
        here = ("profiles", name)
        place = self._build_place(here, written)
        callback = self._build_callback(written)
        prefix = prefix_callback = None
        if written.key_prefix:
            prefix_callback = self._build_callback(written, as_form=True)
            with self._problem_at((*here, "key_prefix")):
                prefix = compile_prefix_template(written.key_prefix)
        key = low = high = limit = rules = reply = handler = None
        with self._problem_at((*here, "object_key")):
            key = compile_key_template(written.object_key)
        with self._problem_at((*here, "min_size")):
            low = parse_size(written.min_size)
        with self._problem_at((*here, "max_size")):
            high = parse_size(written.max_size)
        with self._problem_at((*here, "reply_limit")):
            limit = parse_size(written.reply_limit)
        with self._problem_at((*here, "variables")):
            rules = {
                variable: VariableRule(variable, rule.type, rule.required, rule.max_length, rule.choices)
                for variable, rule in written.variables.items()
            }
        with self._problem_at((*here, "reply")):
            reply = compile_reply(
                written.reply, variables=rules or (), thumbnails=written.thumbnails, limit=limit or 1024
            )
        with self._problem_at((*here, "thumbnails")):
            check_thumbnails(written.thumbnails)
        if written.handler:
            with self._problem_at((*here, "handler")):
                handler = load_handler(written.handler)
        quota = self._build_quota(here, written)
        if len(self._problems) > before or not (place and callback and key and rules is not None and reply):
            return None
        with self._problem_at(here):
            profile = Profile(
                name=name,
                place=place,
                object_key=key,
                callback=callback,
                allow=written.allow,
                title=written.title,
                titles=written.titles,
                content_types=written.content_types,
                min_size=low if low is not None else 1,
                max_size=high or 0,
                expires_in=written.expires_in,
                via=written.via,
                put_callback=written.put_callback,
                key_prefix=prefix,
                prefix_callback=prefix_callback,
                signature=self._settings.oss.signature,
                storage_class=written.storage_class,
                object_acl=written.object_acl,
                disposition=written.disposition,
                keep_days=written.keep_days,
                thumbnails=written.thumbnails,
                variables=rules,
                quota=quota,
                reply=written.reply,
                handler=written.handler,
                verify_bucket=written.verify_bucket,
            )
            return ReceivingProfile(profile, reply, handler, _list_replies(written, dialects, reply.limit))
        return None

    def _build_place(self, here: Location, written: ProfileSettings) -> BucketPlace | None:
        oss = self._settings.oss
        own = bool(written.bucket or written.region or written.endpoint)
        location = (*here, "bucket") if own or written.host else ("oss", "bucket")
        if any(problem.location == location for problem in self._problems):
            return None
        with self._problem_at(location):
            return define_place(
                written.bucket or oss.bucket,
                written.region or oss.region,
                endpoint=written.endpoint or ("" if written.region else oss.endpoint),
                # Another bucket does not answer under this one's domain.
                host=written.host or ("" if own else oss.host),
            )
        return None

    def _build_callback(
        self, written: ProfileSettings, *, as_form: bool = False
    ) -> CallbackDefinition | None:
        callback = self._settings.callback
        if any(problem.location[0] == "callback" for problem in self._problems):
            return None
        only_images = all(kind.startswith("image/") for kind in written.content_types)
        default = DEFAULT_FORM if callback.body_type == "form" else DEFAULT_JSON
        if only_images and callback.body_type == "json":
            default = DEFAULT_JSON_IMAGE
        body = None
        with self._problem_at(("callback", "body")):
            if as_form and callback.body_type == "json":
                # Where a client chooses the key: OSS's JSON escaping of odd ones is not known.
                body = compile_body(DEFAULT_FORM_IMAGE if only_images else DEFAULT_FORM, "form")
            else:
                body = compile_body(callback.body or default, callback.body_type)
        if body is None:
            return None
        with self._problem_at(("callback", "url")):
            return define_callback(callback.url, body, host=callback.host or None, sni=callback.sni)
        return None

    def _build_quota(self, here: Location, written: ProfileSettings) -> Quota | None:
        if written.quota is None:
            return None
        limit = None
        if written.quota.bytes is not None:
            with self._problem_at((*here, "quota", "bytes")):
                limit = parse_size(written.quota.bytes)
        return Quota(written.quota.pending_uploads, limit, written.quota.period)

    def _check_overrides(self, profiles: Mapping[str, ReceivingProfile]) -> None:
        settings = self._settings
        if "*" in settings.server.origins:
            self._require(
                "wildcard_origin", ("server", "origins"), "any page may call /v1", "name the origins"
            )
        for url in settings.callback.url:
            if url.startswith("http:"):
                self._require(
                    "http_callback", ("callback", "url"), f"{url} is called without TLS", "use https"
                )
        for name, receiving in profiles.items():
            profile = receiving.profile
            for url in (profile.place.internal, profile.place.host):
                if is_local_host(urlsplit(url).hostname or "") or url.startswith("http:"):
                    location = ("profiles", name) if settings.profiles[name].endpoint else ("oss", "endpoint")
                    self._require(
                        "emulator_endpoint", location, f"{url} is an emulator's", "use https and OSS's host"
                    )
            if profile.object_acl == PUBLIC_WRITE:
                self._require(
                    "public_write",
                    ("profiles", name, "object_acl"),
                    "anybody may overwrite and delete the profile's objects",
                    "leave it at default",
                )
            if not profile.verify_bucket:
                self._require(
                    "unverified_bucket",
                    ("profiles", name, "verify_bucket"),
                    "callbacks are believed without asking the bucket",
                    "leave it at true",
                )
            quota = profile.quota
            if ANONYMOUS in profile.allow and (
                quota is None or quota.pending_uploads is None or quota.bytes is None
            ):
                self._require(
                    "anonymous_without_quota",
                    ("profiles", name, "allow"),
                    "anybody may use this profile, without a full quota",
                    f'add [profiles.{name}.quota] with pending_uploads and bytes, such as 20 and "2GB"',
                )
            if ANONYMOUS in profile.allow and profile.key_prefix:
                # Nothing is reserved for a prefix, and its objects do not tell whose address asked for it.
                self._require(
                    "anonymous_without_quota",
                    ("profiles", name, "key_prefix"),
                    "anybody may have prefixes of this profile, which no quota bounds",
                    "leave key_prefix out, or anonymous out of allow",
                )

    def _require(self, override: Override, location: Location, message: str, hint: str) -> None:
        if override in self._settings.allow_insecure:
            self._note_override(override)
            return
        problem = Problem(location, message, f"{hint}, or add {override} to allow_insecure")
        if problem not in self._problems:
            self._problems.append(problem)

    def _note_override(self, override: Override) -> None:
        if override not in self._overridden:
            self._overridden.append(override)


def _list_replies(
    written: ProfileSettings, dialects: Sequence[ConfiguredDialect], limit: int
) -> dict[str, ReplyTemplate]:
    """Return what clients of other contracts are answered; a reply that the profile writes down counts for all of them."""
    if written.reply:
        return {}
    own = {one.name: one.dialect.reply(one.options) for one in dialects}
    return {name: compile_reply(reply, limit=limit) for name, reply in own.items() if reply}


def _list_origins(profiles: Iterable[ReceivingProfile]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for receiving in profiles:
        parts = urlsplit(receiving.profile.place.host)
        found[f"{parts.scheme}://{parts.netloc}"] = None
    return tuple(found)
