"""Refusals of operations on objects: HTTP status, code, message and EC code.

Sources: the pages of the operations, https://help.aliyun.com/zh/oss/developer-reference/putobject and its
neighbours, and of the EC codes; which texts are public, FIDELITY.md says.
"""

from ossgate.emulator.errors import ErrorKind

MISSING_CONTENT_LENGTH = ErrorKind(
    411, "MissingContentLength", "You must provide the Content-Length HTTP header."
)
OBJECT_TOO_LARGE = ErrorKind(400, "InvalidArgument", "The object size exceeds the maximum of 5 GB.")
CONDITION_NOT_IMPLEMENTED = ErrorKind(
    400, "NotImplemented", "A header you provided implies functionality that is not implemented."
)
METADATA_NAME_INVALID = ErrorKind(
    400, "InvalidArgument", "The name of a user metadata header must be letters, digits and hyphens."
)
METHOD_NOT_ALLOWED = ErrorKind(
    405, "MethodNotAllowed", "The specified method is not allowed against this resource."
)
SOURCE_INVALID = ErrorKind(
    400, "InvalidArgument", "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey."
)
SOURCE_INVALID_FOR_PART = ErrorKind(400, "InvalidArgument", SOURCE_INVALID.message, "0042-00000301")
DIRECTIVE_INVALID = ErrorKind(400, "InvalidArgument", "Unknown metadata directive.")
POSITION_MISSING = ErrorKind(400, "InvalidArgument", "The position parameter is missing.", "0016-00000501")
APPEND_CLASS_INVALID = ErrorKind(
    400, "InvalidArgument", "The storage class of an appendable object is not valid.", "0016-00000503"
)
NO_SUCH_VERSION = ErrorKind(404, "NoSuchVersion", "The specified version does not exist.")
POSITION_INVALID = ErrorKind(400, "InvalidArgument", "The append position must be a non-negative integer.")
POSITION_NOT_EQUAL = ErrorKind(
    409, "PositionNotEqualToLength", "Position is not equal to file length", "0026-00000016"
)
NOT_APPENDABLE = ErrorKind(409, "ObjectNotAppendable", "The object is not appendable.")
MALFORMED_XML = ErrorKind(
    400,
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema.",
    "0042-00000205",
)
MISSING_DIGEST = ErrorKind(400, "MissingArgument", "Missing Some Required Arguments.")
BODY_TOO_LARGE = ErrorKind(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")

# Multipart uploads.
_NO_SUCH_UPLOAD = (
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    "completed."
)
NO_SUCH_UPLOAD = ErrorKind(404, "NoSuchUpload", _NO_SUCH_UPLOAD, "0042-00000002")
NO_SUCH_UPLOAD_OF_PART = ErrorKind(404, "NoSuchUpload", _NO_SUCH_UPLOAD, "0042-00000104")
PART_NUMBER_INVALID = ErrorKind(
    400,
    "InvalidArgument",
    "Part number must be an integer between 1 and 10000, inclusive.",
    "0017-00000220",
)
INVALID_PART = ErrorKind(
    400,
    "InvalidPart",
    "One or more of the specified parts could not be found or the specified entity tag might not have matched "
    "the part's entity tag.",
)
INVALID_PART_ORDER = ErrorKind(
    400,
    "InvalidPartOrder",
    "The list of parts was not in ascending order. Parts list must be specified in order by part number.",
    "0042-00000209",
)
PART_TOO_SMALL = ErrorKind(
    400, "EntityTooSmall", "Your proposed upload smaller than the minimum allowed size.", "0042-00000213"
)
# The service's own spelling.
COMPLETE_ALL_WITH_BODY = ErrorKind(
    400,
    "InvalidArgument",
    "Should not speficy both complete all header and http body.",
    "0042-00000216",
)
COMPLETE_ALL_INVALID = ErrorKind(400, "InvalidArgument", "The value of x-oss-complete-all must be yes.")

# Callback variables, and callbacks given twice.
CALLBACK_TWICE = ErrorKind(
    400,
    "InvalidArgument",
    "Either the callback query string parameter or the x-oss-callback header should be specified, not both.",
    "0007-00000027",
)
CALLBACK_VAR_TWICE = ErrorKind(
    400,
    "InvalidArgument",
    "Either the callback-var query string parameter or the x-oss-callback-var header should be specified, "
    "not both.",
    "0007-00000027",
)
CALLBACK_VAR_TOO_LONG = ErrorKind(
    400, "InvalidArgument", "The length of callback var exceed max value.", "0007-00000101"
)
CALLBACK_VAR_NOT_BASE64 = ErrorKind(
    400, "InvalidArgument", "The callback var is not base64 encoded.", "0007-00000102"
)
CALLBACK_VAR_NOT_JSON = ErrorKind(
    400, "InvalidArgument", "The callback var is not json format.", "0007-00000103"
)
# The service's own spelling.
CALLBACK_VAR_NOT_MAP = ErrorKind(
    400, "InvalidArgument", "The callback var is not expecten json.", "0007-00000104"
)

# Tags.
TAGS_INVALID = ErrorKind(400, "InvalidTag", "The tagging is not valid.")

# Images.
IMAGE_LIBRARY_MISSING = ErrorKind(
    501, "NotImplemented", "Resizing images needs Pillow: pip install 'ossgate[images]'."
)
IMAGE_UNSUPPORTED = ErrorKind(400, "BadRequest", "This image format is not supported.")
IMAGE_TOO_LARGE = ErrorKind(400, "BadRequest", "The source image is too large.")
IMAGE_OPERATION_INVALID = ErrorKind(400, "InvalidArgument", "The image operation is not valid.")
