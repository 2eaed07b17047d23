"""From request to operation: what is asked for, who asks, what is answered.

Common headers and the shape of errors: "Common response headers",
https://help.aliyun.com/zh/oss/developer-reference/common-http-headers
"""

import base64
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ossgate.emulator.admin import PREFIX, Admin
from ossgate.emulator.authenticator import Authenticator
from ossgate.emulator.cors import CorsRule, answer_preflight, build_cors_headers
from ossgate.emulator.errors import (
    INTERNAL_ERROR,
    INVALID_BUCKET_NAME,
    NO_SUCH_BUCKET,
    NOT_IMPLEMENTED,
    SERVICE_BUSY,
    OssError,
)
from ossgate.emulator.events import Transcript
from ossgate.emulator.object_read import ObjectRead
from ossgate.emulator.post_object import PostObject
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response, respond_with_error
from ossgate.emulator.upload_gate import UploadGate

_MAX_MESSAGE = 500
_EVENT_NAMES = {"POST": "post_object", "HEAD": "head_object", "GET": "get_object", "OPTIONS": "preflight"}
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)
# Query parameters that make another operation of a GET.
_SUB_RESOURCES = frozenset(
    """
    acl append callback cors delete lifecycle location logging objectMeta partNumber policy position
    referer restore symlink tagging uploadId uploads versionId versioning versions website
    x-oss-process x-oss-async-process live bucketInfo stat encryption inventory worm qos img style
    comp list-type
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class App:
    """The emulator without its server."""

    bucket: str
    admin: Admin
    authenticator: Authenticator
    post_object: PostObject
    object_read: ObjectRead
    cors_rules: Sequence[CorsRule]
    gate: UploadGate
    transcript: Transcript
    now: Callable[[], datetime]
    report_failure: Callable[[BaseException], None]

    def handle(self, request: Request) -> Response:
        """Answer any request; nothing is raised but what breaks the connection."""
        if request.raw_path.startswith(PREFIX):
            return self.admin.handle(request)
        started = time.monotonic()
        try:
            response = self._dispatch(request)
        except OssError as error:
            response = respond_with_error(error, request_id=request.request_id, host_id=request.host_id)
        except OSError as error:
            if isinstance(error, ConnectionError | TimeoutError):
                raise
            response = self._fail(request, error)
        except Exception as error:
            response = self._fail(request, error)
        self._record(request, response, started)
        self._complete(request, response)
        return response

    def answer_error(self, request: Request, error: OssError) -> Response:
        """Shape a refusal of a request that never came to be dispatched."""
        response = respond_with_error(error, request_id=request.request_id, host_id=request.host_id)
        self._record(request, response, time.monotonic())
        self._complete(request, response)
        return response

    def _dispatch(self, request: Request) -> Response:
        if not request.bucket:
            raise OssError(NOT_IMPLEMENTED)
        if request.method == "OPTIONS":
            self._check_bucket(request)
            return answer_preflight(request, self.cors_rules)
        other = any(name in _SUB_RESOURCES for name, _ in request.query)
        if request.method == "POST" and not request.object_key and not other:
            # A form is signed by its fields; what header or URL say is not looked at.
            self._check_bucket(request)
            return self._admit_upload(request)
        caller = self.authenticator.authenticate(request)
        self._check_bucket(request)
        if request.method in ("HEAD", "GET") and request.object_key and not other:
            return self.object_read.handle(request, caller)
        raise OssError(NOT_IMPLEMENTED)

    def _admit_upload(self, request: Request) -> Response:
        with self.gate.enter() as admitted:
            if not admitted:
                raise OssError(SERVICE_BUSY)
            return self.post_object.handle(request, self._bucket_url(request))

    def _check_bucket(self, request: Request) -> None:
        if request.bucket == self.bucket:
            return
        if not _BUCKET_NAME.fullmatch(request.bucket):
            raise OssError(INVALID_BUCKET_NAME, extras=[("BucketName", request.bucket)])
        raise OssError(NO_SUCH_BUCKET, extras=[("BucketName", request.bucket)])

    def _bucket_url(self, request: Request) -> str:
        # In path style the form was posted to /<bucket>, else to the bucket's own host.
        path = request.raw_path.rstrip("/")
        return f"http://{request.header('host')}{path}"

    def _fail(self, request: Request, error: Exception) -> Response:
        self.report_failure(error)
        return respond_with_error(
            OssError(INTERNAL_ERROR), request_id=request.request_id, host_id=request.host_id
        )

    def _complete(self, request: Request, response: Response) -> None:
        if request.method == "HEAD" and isinstance(response.body, bytes) and response.body:
            # HEAD has no body: the error document travels in a header.
            response.headers.append(("x-oss-err", base64.b64encode(response.body).decode()))
            response.body = b""
            response.content_length = 0
        response.headers += [
            ("x-oss-request-id", request.request_id),
            ("x-oss-server-time", str(round(self.now().timestamp() * 1000))),
        ]
        if request.bucket == self.bucket and request.method != "OPTIONS":
            response.headers += build_cors_headers(request, self.cors_rules)

    def _record(self, request: Request, response: Response, started: float) -> None:
        refused = response.status >= 400
        name = _EVENT_NAMES.get(request.method, request.method.lower())
        self.transcript.record(
            "refused" if refused else name,
            operation=name if refused else None,
            status=response.status,
            bucket=request.bucket or None,
            object_key=response.object_key or request.object_key or None,
            code=response.code or None,
            # A refused condition may quote two megabytes of policy.
            message=response.message[:_MAX_MESSAGE] or None,
            request_id=request.request_id,
            duration_ms=round((time.monotonic() - started) * 1000),
        )
