"""The shapes of bodies, as JSON Schema (https://json-schema.org/draft/2020-12)."""

from __future__ import annotations

from typing import Any

from ossgate.access.bearers import DEFAULT_SECONDS, MAX_SECONDS, MAX_SUBJECT_BYTES
from ossgate.ledger import State, Verdict
from ossgate.operators.shapes import MAX_CHANGES, SHOWN_TARGET
from signer.conditions import MAX_FILE_SIZE
from signer.facts import VIAS
from signer.issue_request import MAX_FILES, REQUESTED_WAYS
from signer.object_keys import MAX_KEY_BYTES
from signer.part_sizes import MAX_AT_ONCE, MIN_PART_SIZE
from signer.profiles import MAX_PARTS

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """Return a reference to one of the schemas below."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str, **more: Any) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "description": description, **more}


def number(description: str, **more: Any) -> Schema:
    """Return the schema of a whole number."""
    return {"type": "integer", "description": description, **more}


def optional(schema: Schema) -> Schema:
    """Return a schema that null fits as well."""
    return schema | {"type": [schema["type"], "null"]}


def list_of(item: Schema, description: str = "", **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": item, **({"description": description} if description else {}), **more}


def record(
    properties: Schema, *, may_lack: tuple[str, ...] = (), description: str = "", **more: Any
) -> Schema:
    """Return the schema of an object that has all of these and no others, but for those that it may lack."""
    return {
        "type": "object",
        **({"description": description} if description else {}),
        "properties": properties,
        "required": [name for name in properties if name not in may_lack],
        "additionalProperties": False,
        **more,
    }


TIME = text("in UTC, to the second", format="date-time", pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")
UPLOAD_ID = text("26 characters that sort by time", pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$")
HEADERS = {"type": "object", "additionalProperties": {"type": "string"}}
VARIABLES = {
    "type": "object",
    "description": "the client variables that the profile declares",
    "additionalProperties": {"type": ["string", "integer", "boolean"]},
}
STATES = {
    State.ISSUED: "granted; nothing has arrived",
    State.EXPIRED: "its time passed without an arrival; a late one still makes it `uploaded`",
    State.UNCONFIRMED: "a callback with OSS's signature and our ticket came, but the bucket could not be asked yet",
    State.UPLOADED: "arrived, and the bucket agrees",
    State.ABORTED: "given up",
    State.DELETED: "removed from the bucket",
}

_FILE: Schema = {
    "filename": text("in any script, at most 255 bytes", minLength=1),
    "size": optional(number("in bytes; when given, the upload must have exactly this size", minimum=0)),
    "content_type": optional(
        text("else guessed from the name, else `application/octet-stream`", maxLength=4096)
    ),
    "vars": optional(VARIABLES | {"additionalProperties": True}),
    "part_size": optional(
        number(
            "with `multipart` alone: bytes of each part but the last; else we choose",
            minimum=MIN_PART_SIZE,
            maximum=MAX_FILE_SIZE,
        )
    ),
    "checksum": {
        "type": ["object", "null"],
        "description": "what the file must have: an upload of other bytes is refused; not with `multipart`",
        "properties": {
            "md5": text(
                "the Base64 of the 16 bytes, as in Content-MD5", pattern="^[A-Za-z0-9+/]{21}[AQgw]==$"
            )
        },
        "required": ["md5"],
        "additionalProperties": False,
    },
}
_SHARED: Schema = {
    "profile": text("the profile's name", minLength=1, maxLength=1024),
    "subject": optional(text("for API keys: who uploads; quotas and object keys use it", maxLength=128)),
    "via": {
        "type": ["string", "null"],
        "enum": [*REQUESTED_WAYS, None],
        "default": "post",
        "description": "a form, one presigned PUT, or presigned parts; `size` is required but for forms",
    },
}
_OPTIONAL = ("size", "content_type", "vars", "part_size", "checksum", "subject", "via")
_ONE_FILE: Schema = {name: _FILE[name] for name in ("filename", "size", "content_type", "vars")}
_CREDENTIALS: Schema = {name: _SHARED[name] for name in ("profile", "subject")}
_GRANTED: Schema = {
    "upload_id": ref("UploadId"),
    "object_key": text("the object's name in the bucket"),
    "expires_at": ref("Time"),
    "profile": text("as asked"),
}
_SIGNED: Schema = {
    "url": text("where to send it: the bucket", format="uri"),
    "headers": HEADERS | {"description": "exactly those to send; all are signed"},
}
_UPLOAD: Schema = {
    "upload_id": ref("UploadId"),
    "state": ref("State"),
    "via": text("the way it was granted", enum=[*VIAS]),
    "profile": text("the profile's name"),
    "subject": text("who uploads"),
    "object_key": text("the object's name in the bucket"),
    "file_name": text("as granted"),
    "size": optional(number("of the object, once it has arrived")),
    "etag": optional(text("of the object, once it has arrived")),
    "content_type": text("as granted; once it has arrived, the object's"),
    "created_at": ref("Time"),
    "expires_at": ref("Time"),
    "uploaded_at": {"anyOf": [ref("Time"), {"type": "null"}]},
    "keep_until": {"anyOf": [ref("Time"), {"type": "null"}], "description": "when the object is to be gone; null: never, or not there yet"},
    "vars": VARIABLES,
    "url": text("a link to the object, once it has arrived; whoever has it can fetch the object until it ends", format="uri"),
    "thumbnails": {
        "type": "object",
        "additionalProperties": {"type": "string", "format": "uri"},
        "description": "links to smaller pictures of an image, by the names in the profile",
    },
}  # fmt: skip
_CALLBACK: Schema = {
    "callback_id": ref("UploadId"),
    "at": ref("Time"),
    "verdict": text("what was made of it", enum=[verdict.value for verdict in Verdict]),
    "layer": optional(text("the layer that it failed at")),
    "code": optional(text("as answered")),
    "detail": optional(text("why")),
    "upload_id": optional(text("of which upload, where that is known")),
    "remote_addr": text("whence it came"),
    "took_ms": number("milliseconds until then"),
    "raw_target": text("path and query as they came, without long words", maxLength=SHOWN_TARGET),
    "body_size": number("the body's own length in bytes"),
    "replayable": {"type": "boolean", "description": "whether it was kept whole"},
}
_CURSOR: Schema = {"next_cursor": optional(text("for the next page; null on the last"))}
_PART_NUMBER = number("from 1", minimum=1, maximum=MAX_PARTS)

SCHEMAS: dict[str, Schema] = {
    "UploadId": UPLOAD_ID,
    "Time": TIME,
    "State": {
        "type": "string",
        "enum": [state.value for state in STATES],
        "description": "; ".join(f"`{state}`: {meaning}" for state, meaning in STATES.items()),
    },
    "Error": record(
        {
            "error": record(
                {
                    "code": text("for programs; codes stay"),
                    "message": text("for people; may change"),
                    "hint": text("the way out, where there is one"),
                    "request_id": text("stands in the log, too"),
                }
            )
        },
        description="the one shape of every error",
    ),
    "FileRequest": record(_SHARED | _FILE, may_lack=_OPTIONAL, description="one file"),
    "FilesRequest": record(
        _SHARED
        | {
            "files": list_of(
                record(_SHARED | _FILE, may_lack=("profile", *_OPTIONAL)),
                "all are granted or none; with `multipart` at most 20",
                minItems=1,
                maxItems=MAX_FILES,
            )
        },
        may_lack=("subject", "via"),
        description="several files of one profile",
    ),
    "FormGrant": record(
        {
            "method": {"const": "POST"},
            "url": text("where to post the form: the bucket", format="uri"),
            "fields": HEADERS
            | {"description": "the form's fields, to be posted in this order, with the file last under the name `file`"},
        }
        | _GRANTED,
        description="one form post (`via`: `post`)",
    ),
    "PutGrant": record(
        {"method": {"const": "PUT"}} | _SIGNED | {"content_length": number("bytes of the body")} | _GRANTED,
        description="one presigned PUT (`via`: `put`)",
    ),
    "MultipartGrant": record(
        {
            "method": {"const": "PUT"},
            "part_size": number("bytes of each part but the last"),
            "part_count": number("how many parts there are"),
            "parts_url": text("where part URLs are asked for, on this server"),
            "complete_url": text("where the upload is completed, on this server"),
        }
        | _GRANTED,
        description="an upload in parts, begun in the bucket (`via`: `multipart`)",
    ),
    "ConfirmRequest": record(
        {
            "object_key": text("the whole key, as the file was uploaded", minLength=1, maxLength=MAX_KEY_BYTES),
            "subject": _SHARED["subject"],
        },
        may_lack=("subject",),
        description="an object below a prefix",
    ),
    "Grant": {"oneOf": [ref("FormGrant"), ref("PutGrant"), ref("MultipartGrant")]},
    "Grants": record({"grants": list_of(ref("Grant"), "in the order of the files")}),
    "Upload": record(_UPLOAD, may_lack=("url", "thumbnails")),
    "OperatorUpload": record(
        _UPLOAD
        | {
            "issuer": text("who asked: `anonymous`, `api_key:NAME`, `jwt:SUBJECT` and the like"),
            "arrived_via": optional(text("by what its arrival was learned")),
            "bucket": text("the bucket's name"),
            "crc64": optional(text("the object's CRC-64, as OSS tells it")),
            "changed_at": ref("Time"),
        },
        may_lack=("url", "thumbnails"),
    ),
    "OperatorUploads": record({"uploads": list_of(ref("OperatorUpload"), "newest first")} | _CURSOR),
    "History": record(
        {
            "upload": ref("OperatorUpload"),
            "changes": list_of(
                record(
                    {
                        "claim": text("the state entered, or a note such as `handler:late` or `replaced:ETAG`"),
                        "at": ref("Time"),
                        "via": optional(text("by what it was learned")),
                        "facts": {"type": "object", "description": "what was learned beside"},
                    }
                ),
                "oldest first",
                maxItems=MAX_CHANGES,
            ),
            "truncated": {"type": "boolean", "description": "whether there are more, newer ones"},
        }
    ),
    "Callbacks": record({"callbacks": list_of(record(_CALLBACK), "newest first")} | _CURSOR),
    "WholeCallback": record(
        _CALLBACK
        | {
            "raw_target": text("path and query as they came, without long words"),
            "headers": {
                "type": "object",
                "description": "those that are verified and those that OSS is known to send, without long words",
                "additionalProperties": {"type": "string"},
            },
            "body": text("as far as it is kept, without long words"),
            "cut": optional(text("what was not kept whole: `target`, `headers` or `body`")),
        }
    ),
    "Counts": record(
        {
            "created_from": ref("Time"),
            "states": record({state.value: number(meaning) for state, meaning in STATES.items()}),
            "refusals": number("refused callbacks"),
        }
    ),
    "PartNumbers": record(
        {
            "part_numbers": list_of(
                _PART_NUMBER, "each at most once", minItems=1, maxItems=MAX_AT_ONCE, uniqueItems=True
            )
        }
    ),
    "SignedParts": record(
        {
            "parts": list_of(
                record({"part_number": _PART_NUMBER} | _SIGNED | {"content_length": number("bytes of this part")})
            ),
            "expires_at": ref("Time"),
        }
    ),
    "StoredParts": record(
        {
            "parts": list_of(
                record({"part_number": _PART_NUMBER, "size": number("in bytes"), "etag": text("as OSS tells it")}),
                "what the bucket holds",
            ),
            "part_size": number("bytes of each part but the last"),
            "part_count": number("how many parts there are"),
            "size": number("bytes of the whole"),
            "expires_at": ref("Time"),
        }
    ),
    "CompleteRequest": record(
        {
            "parts": optional(
                list_of(
                    record({"part_number": _PART_NUMBER, "etag": text("as OSS answered", minLength=1, maxLength=64)}),
                    "the parts that make the object; else all that the bucket holds",
                    maxItems=MAX_PARTS,
                )
            ),
            "presign": {
                "type": ["boolean", "null"],
                "description": "sign the request by which the client completes the upload itself; then without `parts`",
            },
        },
        may_lack=("parts", "presign"),
    ),
    "PresignedComplete": record(
        {"upload_id": ref("UploadId"), "method": {"const": "POST"}} | _SIGNED | {"expires_at": ref("Time")}
    ),
    "Reply": {
        "type": "object",
        "description": "the profile's reply, of the form that its settings say",
        "additionalProperties": True,
    },
    "Profile": record(
        {
            "name": text("by which clients name it"),
            "title": text("for people"),
            "titles": HEADERS | {"description": "the title in further languages, by code"},
            "min_size": number("in bytes"),
            "max_size": number("in bytes"),
            "content_types": list_of({"type": "string"}, '`"*/*"` is any type, `"image/*"` any image'),
            "via": list_of({"type": "string", "enum": [*VIAS]}, "ways of upload; `sts` is `POST /v1/credentials`"),
            "keep_days": optional(number("after so many days an object is to be gone; null: never", minimum=1)),
            "extensions": list_of({"type": "string"}, "those that objects of the profile usually get"),
        }
    ),
    "Profiles": record({"profiles": list_of(ref("Profile"), "those that the caller may use")}),
    "OneFileCredentialRequest": record(
        _CREDENTIALS | {"use": optional(text("one file", enum=["once", None]))} | _ONE_FILE,
        may_lack=("subject", "use", "size", "content_type", "vars"),
        description="for one file",
    ),
    "PrefixCredentialRequest": record(
        _CREDENTIALS | {"use": optional(text("many files", enum=["prefix", None])), "vars": _FILE["vars"]},
        may_lack=("subject", "use", "vars"),
        description="for many files below one prefix, whose names the client chooses",
    ),
    "TemporaryCredentials": record(
        {
            "upload_id": ref("UploadId"),
            "grant_id": ref("UploadId"),
            "credentials": record(
                {
                    "access_key_id": text("as SDKs take it"),
                    "access_key_secret": text("as SDKs take it"),
                    "security_token": text("as SDKs take it"),
                    "expiration": ref("Time"),
                }
            ),
            "bucket": text("the bucket's name"),
            "region": text("such as `cn-hangzhou`"),
            "endpoint": text("OSS's own address", format="uri"),
            "host": text("the bucket's address", format="uri"),
            "cname": {"type": "boolean", "description": "whether the host is a domain of the bucket's own, which SDKs must be told"},
            "object_key": text("the one key that may be written"),
            "key_prefix": text("what every key must begin with"),
            "headers": HEADERS | {"description": "to be sent with the object"},
            "callback": {"type": "object", "description": "the callback as SDKs take it", "additionalProperties": True},
            "callback_vars": HEADERS | {"description": "there are none"},
            "callback_param": text("the callback in Base64, for the header `x-oss-callback`"),
            "min_size": number("in bytes"),
            "max_size": number("in bytes"),
            "expires_at": ref("Time"),
            "profile": text("as asked"),
        },
        may_lack=("upload_id", "grant_id", "object_key", "key_prefix"),
        description="`upload_id` and `object_key` of one file; `grant_id` and `key_prefix` of a prefix",
    ),
    "CallbackBody": {
        "type": "object",
        "description": "what OSS was told to send. With `[callback] body` it is another",
        "properties": {
            "bucket": text("the bucket's name"),
            "object": text("the object's name"),
            "etag": text("the object's ETag"),
            "size": number("in bytes"),
            "mimeType": text("the object's type"),
            "ticket": text("our signed proof of the grant"),
            "width": {"type": ["string", "integer", "null"], "description": "of an image"},
            "height": {"type": ["string", "integer", "null"], "description": "of an image"},
        },
        "additionalProperties": True,
    },
    "BearerRequest": record(
        {
            "profile": text("the one profile that it is good for", minLength=1),
            "subject": text("for API keys, which must: who will hold it", maxLength=MAX_SUBJECT_BYTES),
            "expires_in": number("seconds", minimum=1, maximum=MAX_SECONDS, default=DEFAULT_SECONDS),
        },
        may_lack=("subject", "expires_in"),
    ),
    "Bearer": record(
        {
            "token": text("to be sent as `?token=`"),
            "profile": text("as asked"),
            "subject": text("who holds it"),
            "expires_in": number("seconds"),
            "expires_at": ref("Time"),
        }
    ),
    "Health": record({"status": {"const": "ok"}}),
    "NotReady": record(
        {"status": {"const": "not ready"}, "problem": text("what keeps it"), "fix": text("what to do")}
    ),
}  # fmt: skip
