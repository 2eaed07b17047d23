"""From a stored object to what the uploader is told: fill the template, send, shape the answer.

The object is kept whatever happens here. A success passes the receiver's body on with 200; a failure is
203 CallbackFailed. Source: https://www.alibabacloud.com/help/en/oss/user-guide/http-status-code-203
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ossgate.emulator.callback_definition import CallbackDefinition
from ossgate.emulator.callback_faults import FaultyCallbackSender
from ossgate.emulator.callback_template import Value, fill_template
from ossgate.emulator.errors import ErrorKind, OssError
from ossgate.emulator.events import Transcript
from ossgate.emulator.image_info import read_image_info
from ossgate.emulator.object_metadata import ObjectMetadata
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response, respond_with_error
from ossgate.emulator.store import ObjectStore


@dataclass(frozen=True, slots=True)
class CallbackDelivery:
    """Delivers callbacks."""

    store: ObjectStore
    sender: FaultyCallbackSender
    transcript: Transcript

    def deliver(
        self,
        definition: CallbackDefinition,
        metadata: ObjectMetadata,
        custom_variables: Mapping[str, str],
        *,
        request: Request,
        operation: str,
    ) -> Response:
        """Send the callback of a stored object and shape the uploader's answer.

        Args:
            custom_variables: `x:…` as the uploader gave them.
            operation: The call's name in OSS, for `${operation}`.
        """
        started = time.monotonic()
        variables = self._build_variables(definition, metadata, request, operation) | dict(custom_variables)
        body = fill_template(definition.body, definition.body_type, variables)
        result, url = self.sender.send(
            definition,
            body,
            bucket=metadata.bucket,
            object_key=metadata.object_key,
            operation=operation,
            request_id=request.request_id,
        )
        # The query may carry the receiver's own token: it stays out of the transcript.
        self.transcript.record(
            "callback",
            bucket=metadata.bucket,
            object_key=metadata.object_key,
            request_id=request.request_id,
            receiver=f"{url.host_header}{urlsplit(url.target).path}",
            status=200 if result.succeeded else 203,
            code=None if result.succeeded else "CallbackFailed",
            message=result.message or None,
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        if result.answer is not None:
            return Response(200, [("Content-Type", "application/json")], result.answer)
        error = OssError(ErrorKind(203, "CallbackFailed", result.message, result.ec))
        return respond_with_error(error, request_id=request.request_id, host_id=request.host_id)

    def _build_variables(
        self, definition: CallbackDefinition, metadata: ObjectMetadata, request: Request, operation: str
    ) -> dict[str, Value]:
        variables: dict[str, Value] = {
            "bucket": metadata.bucket,
            "object": metadata.object_key,
            "etag": metadata.etag,
            "size": metadata.size,
            "mimeType": metadata.content_type,
            "crc64": metadata.crc64,
            "contentMd5": metadata.content_md5,
            "vpcId": "",
            "clientIp": request.remote_addr,
            "reqId": request.request_id,
            "operation": operation,
        }
        if "${imageInfo." in definition.body:
            image = read_image_info(self.store.data_path(metadata.bucket, metadata.object_key))
            variables |= {
                "imageInfo.width": image.width if image else None,
                "imageInfo.height": image.height if image else None,
                "imageInfo.format": image.format if image else None,
            }
        return variables
