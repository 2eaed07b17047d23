"""The human pages: upload files, the plain form without JavaScript, one upload for its uploader.

The views hold no rule of uploading: what they show and issue they take from the `Pages` object that
`create_app` hangs on the application. Texts are in `static/messages/*.json`, shared with the scripts.

The Content-Security-Policy follows https://www.w3.org/TR/CSP3/ and allows nothing inline.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from ossgate.access.headers import is_own_origin
from ossgate.errors import ApiError

_PACKAGE = Path(__file__).resolve().parent
# Installed, the pages lie inside the package; in a checkout they stand at the top of the repository.
_HOME = _PACKAGE if (_PACKAGE / "templates").is_dir() else _PACKAGE.parent

bp = Blueprint(
    "pages",
    __name__,
    template_folder=str(_HOME / "templates"),
    static_folder=str(_HOME / "static"),
    static_url_path="/static",
)

LANGUAGES = ("en", "zh")

# What a plain form offers for a wildcard: it has no file to look at when the type is signed.
_WILDCARD_CHOICES = {
    "image": ("jpeg", "png", "webp", "gif", "heic"),
    "video": ("mp4", "quicktime", "webm"),
    "audio": ("mpeg", "mp4", "ogg", "wav"),
    "text": ("plain", "csv"),
    "application": ("pdf", "zip", "json", "octet-stream"),
}
_ANY_TYPE = "application/octet-stream"
_PENDING_STATES = ("issued", "unconfirmed")
_CONFIRMABLE_STATES = ("issued", "unconfirmed", "expired")
_REFRESH_SECONDS = 4


@dataclass(frozen=True, slots=True)
class ProfileView:
    """Hold what a person must know of a profile before uploading.

    Attributes:
        extensions: Those that objects of the profile usually get; a file is judged by its content type alone.
        keep_days: How long objects stay; nothing for ever.
        titles: The title in further languages, by code ("zh"); `title` stands where there is none.
        via: The ways of upload that the profile takes.
    """

    name: str
    title: str
    max_size: int
    min_size: int = 0
    content_types: Sequence[str] = ("*/*",)
    extensions: Sequence[str] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    via: Sequence[str] = ("post", "put", "multipart")
    keep_days: int | None = None


@dataclass(frozen=True)
class Pages:
    """Hold what the pages need of the application.

    Attributes:
        bucket_origins: Origins that forms are posted to and stored objects are fetched from.
        profiles: The profiles that are open to the caller of the current request.
        issue_form_grant: Issue a grant for one file, of a profile and content type. Raises ApiError.
        fetch_upload: An upload as `GET /v1/uploads/{id}` shows it, or None when the caller may not see it.
        confirm_upload: Ask the bucket for an upload. Raises ApiError. Where None, the page without
            JavaScript has no button for it.
    """

    bucket_origins: tuple[str, ...]
    profiles: Callable[[], Sequence[ProfileView]]
    issue_form_grant: Callable[[str, str], Mapping[str, Any]]
    fetch_upload: Callable[[str], Mapping[str, Any] | None]
    confirm_upload: Callable[[str], object] | None = None


def current_pages() -> Pages:
    """Fetch the pages' part of the current application."""
    return cast(Pages, current_app.extensions["pages"])


@dataclass(frozen=True, slots=True)
class Messages:
    """Hold the texts of one language; call it with a key and values to get a sentence."""

    language: str
    server: Mapping[str, str]
    client: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Fetch a text and put the values in."""
        text = self.server.get(key) or self.client[key]
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def knows(self, key: str) -> bool:
        """Tell whether there is a text under a key."""
        return key in self.server or key in self.client


def read_static(name: str) -> str:
    """Read a file of the static folder."""
    return (_HOME / "static" / name).read_text("utf-8")


@cache
def load_messages(language: str) -> Messages:
    """Load the texts of a language."""
    texts = json.loads(read_static(f"messages/{language}.json"))
    return Messages(language, texts["server"], texts["client"])


def choose_messages() -> Messages:
    """Choose the first language of the browser's list that there are texts in, else English."""
    # Not best_match(): it takes "en" before the "zh-CN" that stands above it, since only the former is exact.
    wished = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return load_messages(next((language for language in wished if language in LANGUAGES), "en"))


def describe_size(size: int) -> str:
    """Write a size as people read it; 1 KB is 1,024 bytes, as in the limits of profiles."""
    value, unit = float(size), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def describe_types(profile: ProfileView, messages: Messages) -> str:
    """Write which files a profile takes."""
    if not profile.content_types or "*/*" in profile.content_types:
        return messages("limits.any_type")
    return ", ".join(describe_type(content_type, messages) for content_type in profile.content_types)


def describe_type(content_type: str, messages: Messages) -> str:
    """Write a content type in words where there are any."""
    key = f"type.{content_type}"
    return messages(key) if messages.knows(key) else content_type


def describe_sizes(profile: ProfileView, messages: Messages) -> str:
    """Write how large the files of a profile may be."""
    most = messages("limits.up_to", max=describe_size(profile.max_size))
    if profile.min_size <= 1:
        return most
    return f"{most}, {messages('limits.at_least', min=describe_size(profile.min_size))}"


def describe_limits(profile: ProfileView, messages: Messages) -> str:
    """Write a profile's limits in one line."""
    parts = [describe_types(profile, messages), describe_sizes(profile, messages)]
    if profile.keep_days:
        key = "limits.kept_one" if profile.keep_days == 1 else "limits.kept"
        parts.append(messages(key, days=profile.keep_days))
    return " · ".join(parts)


def list_form_types(profile: ProfileView) -> list[str]:
    """List the content types that the plain form lets one choose from; empty when any type will do."""
    if not profile.content_types or "*/*" in profile.content_types:
        return []
    choices: dict[str, None] = {}
    for content_type in profile.content_types:
        family, _, kind = content_type.partition("/")
        kinds = _WILDCARD_CHOICES.get(family, ()) if kind == "*" else (kind,)
        choices.update(dict.fromkeys(f"{family}/{each}" for each in kinds))
    return list(choices)


def describe_profile(profile: ProfileView, messages: Messages) -> dict[str, Any]:
    """Build what the upload page and its script know of a profile."""
    return {
        "name": profile.name,
        "title": profile.titles.get(messages.language) or profile.title or profile.name,
        "max_size": profile.max_size,
        "min_size": profile.min_size,
        "content_types": list(profile.content_types),
        "via": list(profile.via),
        "limits": describe_limits(profile, messages),
        "types": describe_types(profile, messages),
        "sizes": describe_sizes(profile, messages),
    }


@bp.get("/")
def show_upload_page() -> str:
    """Show the page to upload files with."""
    messages = choose_messages()
    pages = current_pages()
    views = pages.profiles()
    profiles = [describe_profile(view, messages) for view in views]
    return render_template(
        "upload.html",
        t=messages,
        profiles=profiles,
        form_types={view.name: list_form_types(view) for view in views},
        describe_type=describe_type,
        hosts=", ".join(urlsplit(origin).netloc or origin for origin in pages.bucket_origins),
        client={"profiles": profiles, "messages": messages.client, "language": messages("html_lang")},
    )


@bp.post("/form")
def issue_plain_form() -> str | tuple[str, int]:
    """Issue a grant for one file, as a form that needs no script."""
    messages = choose_messages()
    if not is_same_site():
        return _show_message(messages, "message.cross_site", messages("message.cross_site_hint"), 403)
    profile = request.form.get("profile", "")
    content_type = request.form.get("content_type") or _ANY_TYPE
    grant = current_pages().issue_form_grant(profile, content_type)
    view = next((each for each in current_pages().profiles() if each.name == profile), None)
    if view and content_type != _ANY_TYPE:
        # The grant is for the type that was chosen, not for all that the profile takes.
        view = replace(view, content_types=(content_type,))
    return render_template(
        "form.html",
        t=messages,
        grant=grant,
        expires=_describe_time(grant["expires_at"]),
        limits=describe_limits(view, messages) if view else "",
        accept="" if content_type == _ANY_TYPE else content_type,
    )


@bp.get("/uploads/<upload_id>")
def show_upload(upload_id: str) -> str | tuple[str, int]:
    """Show how an upload went."""
    messages = choose_messages()
    upload = current_pages().fetch_upload(upload_id)
    if upload is None:
        return _show_message(messages, "message.not_found", messages("message.not_found_hint"), 404)
    return render_template("upload_status.html", t=messages, **_describe_upload(upload, messages))


@bp.post("/uploads/<upload_id>/confirm")
def confirm_upload(upload_id: str) -> WerkzeugResponse | tuple[str, int]:
    """Ask the bucket for an upload, for a page without a script, and show how it went."""
    messages = choose_messages()
    if not is_same_site():
        return _show_message(messages, "message.cross_site", messages("message.cross_site_hint"), 403)
    pages = current_pages()
    if pages.confirm_upload is None or pages.fetch_upload(upload_id) is None:
        return _show_message(messages, "message.not_found", messages("message.not_found_hint"), 404)
    pages.confirm_upload(upload_id)
    return redirect(url_for("pages.show_upload", upload_id=upload_id), 303)


@bp.errorhandler(ApiError)
def show_refusal(error: ApiError) -> tuple[str, int, dict[str, str]]:
    """Show a refusal in the reader's language where its code is known, else in the server's words."""
    g.error_code = error.code
    messages = choose_messages()
    key = f"error.{error.code}"
    plain = messages.knows(key) and "{" not in messages(key) + messages(f"{key}.do")
    what = messages(key) if plain else error.message
    hint = messages(f"{key}.do") if plain else error.hint
    upload_id = (request.view_args or {}).get("upload_id")
    page, status = _show_message(
        messages, "message.refused", f"{what} {hint}".strip(), error.status, upload_id
    )
    # RFC 9110, section 11.6.1: a 401 names what would help.
    return page, status, {"WWW-Authenticate": 'Bearer realm="ossgate"'} if status == 401 else {}


@bp.after_request
def set_page_headers(response: Response) -> Response:
    """Set the headers that keep the pages to themselves."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.endpoint == "pages.static":
        # The module is meant for anyone's page, and nothing in this folder is secret.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response
    response.headers["Content-Security-Policy"] = build_content_security_policy(
        current_pages().bucket_origins
    )
    # Not "no-referrer": with it browsers send "Origin: null" on our own forms as well.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = (
        "no-cache, private" if request.endpoint == "pages.show_upload_page" else "no-store"
    )
    response.vary.add("Accept-Language")
    return response


def build_content_security_policy(bucket_origins: Sequence[str]) -> str:
    """Build the policy of a page that may speak to its own server and the buckets, and to nobody else."""
    buckets = " ".join(bucket_origins)
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' blob: data: {buckets}",
        "connect-src": f"'self' {buckets}",
        "form-action": f"'self' {buckets}",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return "; ".join(f"{name} {value}".rstrip() for name, value in rules.items())


def is_same_site() -> bool:
    """Tell whether a form was sent from our own page, so that no other site issues grants in a visitor's name.

    Sec-Fetch-Site is believed where it is sent (https and localhost); elsewhere the Origin must name our
    host. A request with neither comes from no browser of today.
    """
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or is_own_origin(request.environ, origin)


def _describe_upload(upload: Mapping[str, Any], messages: Messages) -> dict[str, Any]:
    """Build what the page of an upload shows."""
    state = str(upload["state"])
    expires_at = upload.get("expires_at")
    overdue = state == "issued" and expires_at is not None and _parse_time(expires_at) < datetime.now(UTC)
    shown = "overdue" if overdue else state if messages.knows(f"status.{state}_hint") else "unknown"
    facts = [
        ("file", upload.get("file_name")),
        ("size", describe_size(upload["size"]) if upload.get("size") is not None else None),
        ("type", upload.get("content_type")),
        ("key", upload.get("object_key")),
        ("etag", upload.get("etag")),
        ("created", upload.get("created_at")),
        ("uploaded_at", upload.get("uploaded_at")),
        ("keep_until", upload.get("keep_until")),
        ("expires", expires_at if state == "issued" else None),
        ("id", upload["upload_id"]),
    ]
    return {
        "upload": upload,
        "thumbnail": next(iter(upload.get("thumbnails", {}).values()), None),
        "state": state,
        "tone": {"uploaded": "good", "unconfirmed": "warn", "issued": "wait"}.get(
            "" if overdue else state, "quiet"
        ),
        "heading": messages(f"status.{shown}", state=state),
        "hint": messages(f"status.{shown}_hint"),
        "facts": [(name, value) for name, value in facts if value not in (None, "")],
        "times": ("created", "uploaded_at", "keep_until", "expires"),
        "describe_time": _describe_time,
        "refresh": _REFRESH_SECONDS if state in _PENDING_STATES and not overdue else None,
        "confirmable": state in _CONFIRMABLE_STATES,
        "plain_confirm": current_pages().confirm_upload is not None,
        "client": {"messages": messages.client, "uploadId": upload["upload_id"], "state": state},
    }


def _show_message(
    messages: Messages, title: str, text: str, status: int, upload_id: str | None = None
) -> tuple[str, int]:
    """Show a page with one message and the way back."""
    return render_template(
        "message.html", t=messages, heading=messages(title), text=text, upload_id=upload_id
    ), status


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _describe_time(text: str) -> str:
    """Write a time for people; scripts put it into the reader's own zone."""
    return _parse_time(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
