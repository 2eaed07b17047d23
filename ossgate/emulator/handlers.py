"""Which object answers which operation: the emulator's table of contents."""

from collections.abc import Callable, Mapping

from ossgate.emulator.append_object import AppendObject
from ossgate.emulator.bucket_cors import BucketCorsOperations
from ossgate.emulator.bucket_operations import BucketOperations
from ossgate.emulator.buckets import BucketRegistry
from ossgate.emulator.callback_delivery import CallbackDelivery
from ossgate.emulator.complete_multipart import CompleteMultipart
from ossgate.emulator.copy_object import CopyObject
from ossgate.emulator.cors import BucketCors
from ossgate.emulator.credentials import Credentials
from ossgate.emulator.delete_object import DeleteObject
from ossgate.emulator.delete_objects import DeleteObjects
from ossgate.emulator.list_objects import ListObjects
from ossgate.emulator.list_parts import ListParts
from ossgate.emulator.list_uploads import ListUploads
from ossgate.emulator.multipart import Multipart
from ossgate.emulator.multipart_store import MultipartStore
from ossgate.emulator.object_read import ObjectRead
from ossgate.emulator.object_settings import ObjectSettings
from ossgate.emulator.options import EmulatorOptions
from ossgate.emulator.overwrite_rules import OverwriteRules
from ossgate.emulator.part_copy import PartCopy
from ossgate.emulator.put_object import PutObject
from ossgate.emulator.requests import Request
from ossgate.emulator.responses import Response
from ossgate.emulator.sts import Sts

Handler = Callable[[Request, Credentials | None], Response]


def build_handlers(
    options: EmulatorOptions,
    buckets: BucketRegistry,
    uploads: MultipartStore,
    delivery: CallbackDelivery,
    cors: BucketCors,
    sts: Sts,
) -> Mapping[str, Handler]:
    """Make the handler of every operation, by the operation's name in OSS; PostObject stands apart."""
    store = buckets.store
    read = ObjectRead(store)
    listing = ListObjects(store, delivery.sender.player.tell_staleness)
    multipart = Multipart(buckets, uploads, options.now)
    complete = CompleteMultipart(buckets, uploads, options.allow_private_callbacks, delivery, options.now)
    settings = ObjectSettings(store)
    bucket = BucketOperations(buckets, uploads, options.region, options.now)
    rules = BucketCorsOperations(buckets, cors)
    overwrite = OverwriteRules(buckets)
    put = PutObject(store, buckets, options.allow_private_callbacks, delivery, options.now)
    return {
        "GetObject": read.handle,
        "HeadObject": read.handle,
        "GetObjectMeta": read.handle_meta,
        "PutObject": put.handle,
        "CopyObject": CopyObject(buckets, options.now).handle,
        "AppendObject": AppendObject(buckets, options.now).handle,
        "DeleteObject": DeleteObject(store, buckets).handle,
        "DeleteMultipleObjects": DeleteObjects(buckets, sts).handle,
        "PutObjectAcl": settings.put_acl,
        "GetObjectAcl": settings.get_acl,
        "PutObjectTagging": settings.put_tags,
        "GetObjectTagging": settings.get_tags,
        "DeleteObjectTagging": settings.delete_tags,
        "ListObjects": listing.list_v1,
        "ListObjectsV2": listing.list_v2,
        "ListObjectVersions": listing.list_versions,
        "ListMultipartUploads": ListUploads(uploads).handle,
        "InitiateMultipartUpload": multipart.initiate,
        "UploadPart": multipart.upload_part,
        "UploadPartCopy": PartCopy(buckets, multipart).handle,
        "ListParts": ListParts(uploads).handle,
        "CompleteMultipartUpload": complete.handle,
        "AbortMultipartUpload": multipart.abort,
        "ListBuckets": bucket.list_buckets,
        "PutBucket": bucket.create,
        "DeleteBucket": bucket.delete,
        "GetBucketInfo": bucket.get_info,
        "GetBucketLocation": bucket.get_location,
        "GetBucketStat": bucket.get_stat,
        "PutBucketAcl": bucket.put_acl,
        "GetBucketAcl": bucket.get_acl,
        "PutBucketVersioning": bucket.put_versioning,
        "GetBucketVersioning": bucket.get_versioning,
        "PutBucketCors": rules.put,
        "GetBucketCors": rules.get,
        "DeleteBucketCors": rules.delete,
        "PutBucketOverwriteConfig": overwrite.put,
        "GetBucketOverwriteConfig": overwrite.get,
        "DeleteBucketOverwriteConfig": overwrite.delete,
    }
