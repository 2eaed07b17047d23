"""Every operation of the HTTP face but the dialects', whose paths are the settings'."""

from __future__ import annotations

from typing import Any

from ossgate.ledger import State, Verdict
from ossgate.openapi import examples, refusals
from ossgate.openapi.operations import ANYBODY, KEY_OR_TOKEN, NOBODY, OSS, Answer, Body, Operation
from ossgate.openapi.schemas import Schema, ref
from ossgate.operators.queries import DEFAULT_LIMIT, LAYERS, MAX_LIMIT, MAX_TEXT

UPLOADS, PARTS, PROFILES, OPERATORS, CALLBACKS, SERVICE = (
    "Uploads", "Uploads in parts", "Who may ask what", "Operators", "OSS", "Service",
)  # fmt: skip
TAGS = {
    UPLOADS: "Ask for a grant, send the file to the bucket, learn how it went.",
    PARTS: "For files that are large, or that go on after a pause.",
    PROFILES: "What the caller may upload; bearers for clients that cannot send headers.",
    OPERATORS: "Every upload, what became of it, and what was refused. For API keys with `operator = true` and operators' tokens.",
    CALLBACKS: "What OSS calls.",
    SERVICE: "For those who run it.",
}


def query(name: str, description: str, schema: Schema) -> Schema:
    """Return an optional parameter of the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


_ID: Schema = {
    "name": "upload_id",
    "in": "path",
    "required": True,
    "schema": ref("UploadId"),
    "example": examples.UPLOAD_ID,
}
_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_PAGE = [
    query(
        "cursor", "the `next_cursor` of the page before", {"type": "string", "pattern": "^[A-Za-z0-9_-]{36}$"}
    ),
    query(
        "limit",
        "how many at most",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
]
_KEY_URL: Schema = {
    "name": "x-oss-pub-key-url",
    "in": "header",
    "required": True,
    "description": "base64 of the address of the key that signed; it must be a pinned one, and nothing is fetched from it",
    "schema": {"type": "string"},
}


def _link(operation: str, description: str) -> Schema:
    return {
        "operationId": operation,
        "parameters": {"upload_id": "$response.body#/upload_id"},
        "description": description,
    }


_NEXT = {
    "show": _link("showUpload", "how it stands"),
    "confirm": _link("confirmUpload", "when the browser saw no 200"),
    "abort": _link("abortUpload", "give it up"),
    "parts": _link("signParts", "with `via`: `multipart`"),
    "storedParts": _link("listParts", "with `via`: `multipart`"),
    "complete": _link("completeUpload", "with `via`: `multipart`"),
    "history": _link("showHistory", "for operators"),
}

ISSUE = Operation(
    name="issueUpload", tag=UPLOADS, summary="Ask for a grant", security=ANYBODY,
    description="One grant, or one for each of `files`: all or none. Ask just before the upload. The answer's shape follows `via`.",
    body=Body(
        {"oneOf": [ref("FileRequest"), ref("FilesRequest")]},
        {"one file": examples.FILE_REQUEST, "several files": examples.FILES_REQUEST},
    ),
    answers={
        201: Answer(
            "Granted", {"anyOf": [ref("Grant"), ref("Grants")]}, examples.FORM_GRANT, links=_NEXT
        )
    },
    refusals=refusals.ISSUE,
)  # fmt: skip
LIST = Operation(
    name="listUploads", tag=OPERATORS, summary="List and search uploads", security=KEY_OR_TOKEN,
    description="Newest first. All filters must hold. Pages follow each other without gap or repeat while new uploads come in.",
    parameters=[
        query("state", "exactly this state", {"type": "string", "enum": [state.value for state in State]}),
        query("profile", "exactly this profile", _TEXT),
        query("subject", "exactly this subject", _TEXT),
        query("q", "how an upload id or an object key begins, or part of a file name", _TEXT),
        query("created_from", "granted then or later", _MOMENT),
        query("created_until", "granted before", _MOMENT),
        *_PAGE,
    ],
    answers={200: Answer("A page of uploads", ref("OperatorUploads"), examples.OPERATOR_UPLOADS)},
    refusals=[*refusals.OPERATOR, *refusals.QUERY, *refusals.LEDGER_READ],
)  # fmt: skip
SHOW = Operation(
    name="showUpload", tag=UPLOADS, summary="How an upload stands", security=ANYBODY,
    description="Shown to who asked for it and to operators; when nobody in particular did, to whoever holds its id.",
    parameters=[_ID],
    answers={200: Answer("The upload", ref("Upload"), examples.UPLOAD)},
    refusals=refusals.ONE_UPLOAD,
)  # fmt: skip
ABORT = Operation(
    name="abortUpload", tag=UPLOADS, summary="Give an upload up", security=ANYBODY,
    description="An upload in parts that has not arrived: its parts are removed, its quota is free. A signed form or PUT stays good until "
    "its grant ends, so it can only be given up then.",
    parameters=[_ID],
    answers={200: Answer("The upload, now `aborted`; again, and it is the same", ref("Upload"), examples.UPLOAD | {"state": "aborted"})},
    refusals=refusals.ABORT,
)  # fmt: skip
CONFIRM = Operation(
    name="confirmUpload", tag=UPLOADS, summary="Ask the bucket whether it has arrived", security=ANYBODY,
    description="The truth after a 203, a lost answer or a 409 on one's own key. The same bytes as the callback answered, however often.",
    parameters=[_ID],
    answers={200: Answer("The profile's reply", ref("Reply"), examples.REPLY)},
    refusals=[*refusals.ONE_UPLOAD, *refusals.RATE, *refusals.ARRIVAL],
)  # fmt: skip
CONFIRM_KEY = Operation(
    name="confirmObjectKey", tag=UPLOADS, summary="The same, for who knows the object's key alone", security=ANYBODY,
    description="For clients that name their own files below a `dir`: the key proves its grant and for whom it was. Keys of others are unknown.",
    body=Body(ref("ConfirmRequest"), {"a key": examples.CONFIRM_REQUEST}),
    answers={200: Answer("The profile's reply", ref("Reply"), examples.REPLY)},
    refusals=[*refusals.BODY, *refusals.ONE_UPLOAD, *refusals.RATE, *refusals.ARRIVAL],
)  # fmt: skip
SIGN_PARTS = Operation(
    name="signParts", tag=PARTS, summary="Sign URLs for parts", security=ANYBODY,
    description="Ask for a part's URL just before it is used, as often as you like. Send the part with `PUT`, these headers and no `Content-Type`.",
    parameters=[_ID],
    body=Body(ref("PartNumbers"), {"two parts": examples.PART_NUMBERS}),
    answers={200: Answer("A URL for each part", ref("SignedParts"), examples.SIGNED_PARTS)},
    refusals=refusals.SIGN_PARTS,
)  # fmt: skip
LIST_PARTS = Operation(
    name="listParts", tag=PARTS, summary="Which parts have arrived", security=ANYBODY,
    description="With this an upload goes on after a pause or in another page, with nothing remembered but its id.",
    parameters=[_ID],
    answers={200: Answer("The parts that the bucket holds", ref("StoredParts"), examples.STORED_PARTS)},
    refusals=refusals.LIST_PARTS,
)  # fmt: skip
COMPLETE = Operation(
    name="completeUpload", tag=PARTS, summary="Make the object of its parts", security=ANYBODY,
    description="We join the parts and record the arrival at once; nothing calls back. With `presign` the client is given a request by which it "
    "completes the upload itself, and OSS calls back.",
    parameters=[_ID],
    body=Body(
        ref("CompleteRequest"),
        {"all parts": examples.COMPLETE_REQUEST, "presigned": {"presign": True}},
        required=False,
    ),
    answers={
        200: Answer(
            "The profile's reply, or the request to send", {"anyOf": [ref("PresignedComplete"), ref("Reply")]}, examples.REPLY
        )
    },
    refusals=refusals.COMPLETE,
)  # fmt: skip
HISTORY = Operation(
    name="showHistory", tag=OPERATORS, summary="One upload with every change", security=KEY_OR_TOKEN,
    parameters=[_ID],
    answers={200: Answer("The upload and its history", ref("History"), examples.HISTORY)},
    refusals=[*refusals.OPERATOR, *refusals.UNKNOWN, *refusals.LEDGER_READ],
)  # fmt: skip
INBOX = Operation(
    name="listCallbacks", tag=OPERATORS, summary="Callbacks as they came", security=KEY_OR_TOKEN,
    description="Newest first, believed or not, as many as `[inbox]` keeps. All parameters must hold. Long words of the target are left out.",
    parameters=[
        query("verdict", "what was made of it", {"enum": [verdict.value for verdict in Verdict]}),
        query("layer", "the layer that it failed at", {"enum": list(LAYERS)}),
        query("code", "the code that it was answered", _TEXT),
        query("upload_id", "the upload that it tells of", _TEXT),
        query("remote_addr", "where it came from", _TEXT),
        query("received_from", "came then or later", _MOMENT),
        query("received_until", "came before", _MOMENT),
        *_PAGE,
    ],
    answers={200: Answer("A page of callbacks", ref("Callbacks"), examples.CALLBACKS)},
    refusals=[*refusals.OPERATOR, *refusals.QUERY, *refusals.LEDGER_READ],
)  # fmt: skip
SHOW_CALLBACK = Operation(
    name="showCallback", tag=OPERATORS, summary="One callback with its headers and body", security=KEY_OR_TOKEN,
    description="As far as it was kept. Tickets, signatures and other long words are left out; `ossgate inbox show --raw` shows them.",
    parameters=[{"name": "callback_id", "in": "path", "required": True, "schema": ref("UploadId"), "example": examples.CALLBACK_ID}],
    answers={200: Answer("The callback", ref("WholeCallback"), examples.WHOLE_CALLBACK)},
    refusals=[*refusals.OPERATOR, *refusals.CALLBACK_UNKNOWN, *refusals.LEDGER_READ],
)  # fmt: skip
COUNT = Operation(
    name="showCounts", tag=OPERATORS, summary="Uploads by state", security=KEY_OR_TOKEN,
    parameters=[query("created_from", "granted then or later; by default a day ago", _MOMENT)],
    answers={200: Answer("Counts", ref("Counts"), examples.COUNTS)},
    refusals=[*refusals.OPERATOR, *refusals.QUERY, *refusals.LEDGER_READ],
)  # fmt: skip
LIST_PROFILES = Operation(
    name="listProfiles", tag=PROFILES, summary="What the caller may upload", security=ANYBODY,
    answers={200: Answer("Profiles with their limits", ref("Profiles"), examples.PROFILES)},
    refusals=refusals.CREDENTIALS,
)  # fmt: skip
ISSUE_CREDENTIALS = Operation(
    name="issueCredentials", tag=PROFILES, summary="Ask for temporary credentials", security=ANYBODY,
    description="For SDKs that upload by themselves: from STS, cut to one key or one prefix and to what an upload needs. "
    "Only of profiles whose `via` lists `sts`.",
    body=Body(
        {"oneOf": [ref("OneFileCredentialRequest"), ref("PrefixCredentialRequest")]},
        {"one file": examples.ONE_FILE_CREDENTIALS, "many files": examples.PREFIX_CREDENTIALS},
    ),
    answers={201: Answer("Credentials, and what to do with them", ref("TemporaryCredentials"), examples.TEMPORARY_CREDENTIALS)},
    refusals=refusals.TEMPORARY,
)  # fmt: skip
ISSUE_BEARER = Operation(
    name="issueBearer", tag=PROFILES, summary="Make a bearer for the query", security=KEY_OR_TOKEN,
    description="Short-lived, for one profile and one person; taken only where clients cannot send headers.",
    body=Body(ref("BearerRequest"), {"for ten minutes": examples.BEARER_REQUEST}),
    answers={201: Answer("The bearer", ref("Bearer"), examples.BEARER)},
    refusals=refusals.BEARERS,
)  # fmt: skip


def _describe_callback(name: str, *parameters: Schema) -> Operation:
    return Operation(
        name=name, tag=CALLBACKS, summary="OSS tells of an object that it stored", security=OSS,
        description="Believed when OSS signed it, it carries our ticket, and the bucket agrees. A repeat gets the same bytes and changes nothing.",
        parameters=[*parameters, _KEY_URL],
        body=Body(
            ref("CallbackBody"),
            {"as the default template makes it": examples.CALLBACK_BODY},
            media_types=("application/json", "application/x-www-form-urlencoded"),
        ),
        answers={200: Answer("The profile's reply, which OSS hands on to the uploader", ref("Reply"), examples.REPLY)},
        # A path with a line's end in it is no address of ours.
        refusals=[*refusals.CALLBACK, *([refusals.Refusal(404, "not_found")] if parameters else [])],
    )  # fmt: skip


_BELOW: Schema = {
    "name": "below",
    "in": "path",
    "required": True,
    "description": "any path; `[callback] url` may have one",
    "schema": {"type": "string", "minLength": 1},
    "example": "shop",
}
_ETAG_ANSWER = Answer("This document", {"type": "object"}, {"openapi": "3.1.0"})
SERVICE_OPERATIONS = {
    "/healthz": Operation(
        name="showHealth", tag=SERVICE, summary="Whether the process lives", security=NOBODY,
        answers={200: Answer("It does", ref("Health"), examples.HEALTH)},
    ),
    "/readyz": Operation(
        name="showReadiness", tag=SERVICE, summary="Whether it can sign, verify and write", security=NOBODY,
        answers={
            200: Answer("It can", ref("Health"), examples.HEALTH),
            503: Answer("It cannot, and what to do", ref("NotReady"), examples.NOT_READY),
        },
    ),
    "/metrics": Operation(
        name="showMetrics", tag=SERVICE, summary="Numbers for Prometheus", security=[{}, *KEY_OR_TOKEN],
        description="For requests straight from this machine and for operators, as `[server] metrics` says; 404 where it is `off`.",
        answers={200: Answer("Prometheus's text format", {"type": "string"}, examples.METRICS, media_type="text/plain")},
        refusals=[
            *(each for each in refusals.OPERATOR if each not in refusals.ORIGIN),
            refusals.Refusal(404, "not_found"),
        ],
    ),
    "/openapi.json": Operation(
        name="showOpenapi", tag=SERVICE, summary="This document", security=NOBODY, answers={200: _ETAG_ANSWER}
    ),
}  # fmt: skip

OPERATIONS: dict[str, dict[str, Operation]] = {
    "/v1/uploads": {"post": ISSUE, "get": LIST},
    "/v1/uploads/{upload_id}": {"get": SHOW, "delete": ABORT},
    "/v1/confirm": {"post": CONFIRM_KEY},
    "/v1/uploads/{upload_id}/confirm": {"post": CONFIRM},
    "/v1/uploads/{upload_id}/parts": {"post": SIGN_PARTS, "get": LIST_PARTS},
    "/v1/uploads/{upload_id}/complete": {"post": COMPLETE},
    "/v1/uploads/{upload_id}/history": {"get": HISTORY},
    "/v1/profiles": {"get": LIST_PROFILES},
    "/v1/credentials": {"post": ISSUE_CREDENTIALS},
    "/v1/bearers": {"post": ISSUE_BEARER},
    "/v1/callbacks": {"get": INBOX},
    "/v1/callbacks/{callback_id}": {"get": SHOW_CALLBACK},
    "/v1/counts": {"get": COUNT},
    "/callback": {"post": _describe_callback("receiveCallback")},
    "/callback/{below}": {"post": _describe_callback("receiveCallbackBelow", _BELOW)},
    **{path: {"get": operation} for path, operation in SERVICE_OPERATIONS.items()},
}


def render_paths() -> dict[str, dict[str, Any]]:
    """Return the Paths Object."""
    return {
        path: {method: operation.render() for method, operation in methods.items()}
        for path, methods in OPERATIONS.items()
    }
