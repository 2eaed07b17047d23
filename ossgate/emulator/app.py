"""From request to operation: what is asked for, who asks, what is answered.

Common headers and the shape of errors: "Common response headers",
https://help.aliyun.com/zh/oss/developer-reference/common-http-headers
"""

import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from ossgate.emulator.access import check_anonymous, is_open_to_all
from ossgate.emulator.admin import PREFIX, Admin
from ossgate.emulator.authenticator import Authenticator
from ossgate.emulator.buckets import Bucket, BucketRegistry
from ossgate.emulator.cors import BucketCors, answer_preflight
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.errors import INTERNAL_ERROR, NOT_IMPLEMENTED, SERVICE_BUSY, OssError
from ossgate.emulator.events import Transcript
from ossgate.emulator.fault_player import FaultPlayer
from ossgate.emulator.handlers import Handler
from ossgate.emulator.operations import name_operation
from ossgate.emulator.post_object import PostObject
from ossgate.emulator.public_endpoint import PublicEndpoints
from ossgate.emulator.reasons import describe_refusal
from ossgate.emulator.redaction import redact_query
from ossgate.emulator.requests import MAX_KEY_BYTES, Request
from ossgate.emulator.responses import Response, respond_with_error
from ossgate.emulator.store import ObjectStore
from ossgate.emulator.sts import Sts, is_sts_request
from ossgate.emulator.upload_gate import UploadGate

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
# These receive or write much, or wait for a callback.
_GATED = frozenset(
    """
    PutObject AppendObject CopyObject UploadPart UploadPartCopy CompleteMultipartUpload
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class App:
    """The emulator without its server."""

    store: ObjectStore
    buckets: BucketRegistry
    admin: Admin
    authenticator: Authenticator
    sts: Sts
    post_object: PostObject
    handlers: Mapping[str, Handler]
    cors: BucketCors
    endpoints: PublicEndpoints
    gate: UploadGate
    transcript: Transcript
    faults: FaultPlayer
    now: Callable[[], datetime]
    report_failure: Callable[[BaseException], None]

    def handle(self, request: Request) -> Response:
        """Answer any request; nothing is raised but what breaks the connection."""
        if request.raw_path.startswith(PREFIX):
            return self.admin.handle(request)
        if is_sts_request(
            request.method, request.raw_path, request.query, request.headers, bucket=request.bucket
        ):
            return self._answer_sts(request)
        operation, unknown = _name(request)
        with self.faults.serve(request, operation):
            response = self._handle(request, operation, unknown)
            self.faults.finish(response)
        return response

    def _handle(self, request: Request, operation: str, unknown: OssError | None) -> Response:
        started = time.monotonic()
        try:
            self.faults.begin()
            caller = None
            # A form is signed by its fields; what header or URL say is not looked at.
            if operation not in ("Preflight", "PostObject"):
                request, caller = self.authenticator.identify(request)
                operation, unknown = _name(request)
            if unknown is not None:
                raise unknown
            response = self._dispatch(request, operation, caller)
        except OssError as error:
            response = respond_with_error(error, request_id=request.request_id, host_id=request.host_id)
        except OSError as error:
            if isinstance(error, ConnectionError | TimeoutError):
                raise
            response = self._fail(request, error)
        except Exception as error:
            response = self._fail(request, error)
        self._record(request, operation, response, started)
        self._complete(request, response)
        return response

    def _answer_sts(self, request: Request) -> Response:
        started = time.monotonic()
        with self.faults.serve(request, "AssumeRole"):
            try:
                self.faults.begin()
                response = self.sts.handle(request, request.raw_query)
            except OssError as error:
                response = respond_with_error(error, request_id=request.request_id, host_id=request.host_id)
            except Exception as error:
                if isinstance(error, ConnectionError | TimeoutError):
                    raise
                response = self._fail(request, error)
            self._record(request, "AssumeRole", response, started)
            response.headers.append(("Date", self._write_date()))
            self.faults.finish(response)
        return response

    def close(self) -> None:
        """Let all that wait go: a stop must not wait for them."""
        self.transcript.close()
        self.faults.close()

    def answer_error(self, request: Request, error: OssError) -> Response:
        """Shape a refusal of a request that never came to be dispatched."""
        response = respond_with_error(error, request_id=request.request_id, host_id=request.host_id)
        self._record(request, _name(request)[0], response, time.monotonic())
        self._complete(request, response)
        return response

    def _dispatch(self, request: Request, operation: str, caller: Credentials | None) -> Response:
        if operation == "Preflight":
            return answer_preflight(request, self.cors.list_rules(self._require_bucket(request)))
        if operation == "PostObject":
            self._require_bucket(request)
            self.endpoints.check(request, operation)
            return self._admit(lambda: self.post_object.handle(request))
        return self._serve(request, operation, caller)

    def _serve(self, request: Request, operation: str, caller: Credentials | None) -> Response:
        # Whoever creates a bucket does not need it to be there.
        bucket = self._require_bucket(request) if request.bucket and operation != "PutBucket" else None
        self.endpoints.check(request, operation)
        if caller is None:
            check_anonymous(operation, bucket, request.object_key, self.store)
        elif operation != "DeleteMultipleObjects":
            # Which keys that one is about, its body tells.
            self.sts.authorize(
                caller,
                operation,
                request.bucket,
                request.object_key,
                self.sts.read_facts(request),
                open_to_all=lambda: is_open_to_all(operation, bucket, request.object_key, self.store),
            )
        handler = self.handlers.get(operation)
        if handler is None:
            raise OssError(NOT_IMPLEMENTED)
        if operation in _GATED:
            return self._admit(lambda: handler(request, caller))
        return handler(request, caller)

    def _admit(self, answer: Callable[[], Response]) -> Response:
        with self.gate.enter() as admitted:
            if not admitted:
                raise OssError(SERVICE_BUSY)
            return answer()

    def _require_bucket(self, request: Request) -> Bucket:
        return self.buckets.require(request.bucket)

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
            ("Date", self._write_date()),
        ]
        bucket = self.buckets.find(request.bucket)
        if bucket is not None and request.method != "OPTIONS":
            response.headers += self.cors.build_headers(bucket, request)

    def _record(self, request: Request, operation: str, response: Response, started: float) -> None:
        refused = response.status >= 400
        facts = describe_refusal(response)
        name = _CAPITAL.sub(r"_\1", operation).lower()
        self.transcript.record(
            "refused" if refused else name,
            operation=name if refused else None,
            status=response.status,
            bucket=request.bucket or None,
            object_key=self._find_key(request, operation, response) or None,
            method=request.method,
            query=redact_query(request.query) or None,
            request_id=request.request_id,
            duration_ms=round((time.monotonic() - started) * 1000),
            faults=self.faults.ids or None,
            **facts,
        )

    def _write_date(self) -> str:
        return format_datetime(self.now().astimezone(UTC), usegmt=True)

    def _find_key(self, request: Request, operation: str, response: Response) -> str:
        if response.object_key:
            return response.object_key
        # A form's key stands in its fields.
        return self.faults.object_key if operation == "PostObject" else request.object_key[:MAX_KEY_BYTES]


def _name(request: Request) -> tuple[str, OssError | None]:
    """Name the operation; what is none is told once it is known who asks."""
    if request.method == "OPTIONS":
        return "Preflight", None
    try:
        return name_operation(request), None
    except OssError as unknown:
        return request.method.title(), unknown
