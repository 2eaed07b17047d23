"""Which object answers which operation: the emulator's table of contents."""

from collections.abc import Callable, Mapping

from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.callback_delivery import CallbackDelivery
from ossgate.emulator.complete_multipart import CompleteMultipart
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.delete_object import DeleteObject
from ossgate.emulator.list_objects import ListObjects
from ossgate.emulator.list_parts import ListParts
from ossgate.emulator.list_uploads import ListUploads
from ossgate.emulator.multipart import Multipart
from ossgate.emulator.multipart_store import MultipartStore
from ossgate.emulator.object_read import ObjectRead
from ossgate.emulator.options import EmulatorOptions
from ossgate.emulator.put_object import PutObject
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response

Handler = Callable[[Request, Credentials | None], Response]


def build_handlers(
    options: EmulatorOptions,
    buckets: BucketRegistry,
    uploads: MultipartStore,
    delivery: CallbackDelivery,
) -> Mapping[str, Handler]:
    """Make the handler of every operation, by the operation's name in OSS; PostObject stands apart."""
    store = buckets.store
    read = ObjectRead(store)
    listing = ListObjects(store, delivery.sender.player.tell_staleness)
    multipart = Multipart(buckets, uploads, options.now)
    complete = CompleteMultipart(buckets, uploads, options.allow_private_callbacks, delivery, options.now)
    put = PutObject(store, buckets, options.allow_private_callbacks, delivery, options.now)
    return {
        "GetObject": read.handle,
        "HeadObject": read.handle,
        "PutObject": put.handle,
        "DeleteObject": DeleteObject(store, buckets).handle,
        "ListObjects": listing.list_v1,
        "ListObjectsV2": listing.list_v2,
        "ListMultipartUploads": ListUploads(uploads).handle,
        "InitiateMultipartUpload": multipart.initiate,
        "UploadPart": multipart.upload_part,
        "ListParts": ListParts(uploads).handle,
        "CompleteMultipartUpload": complete.handle,
        "AbortMultipartUpload": multipart.abort,
    }
