"""Further readings of a request line, for clients that write it in their own way.

Which one is meant only the signature tells, since it covers bucket and key as the client has them in mind.
"""

from collections.abc import Iterator
from dataclasses import replace

from ossgate.emulator.requests import Request, decode_path


def list_readings(request: Request) -> Iterator[Request]:
    """Yield the request as it stands, then as it could have been meant.

    - One SDK writes a blank in a path as a plus (and a plus as `%2B`), and signs the decoded key.
    - One SDK, told to use path style on an address, names the bucket in the path and in a made-up Host as well.
    """
    yield request
    if "+" in request.raw_path and request.object_key:
        with_blanks = replace(request, raw_path=request.raw_path.replace("+", "%20"))
        yield replace(with_blanks, object_key=_find_key(with_blanks))
    if not request.path_style and request.bucket and _names_bucket(request):
        key = request.object_key.removeprefix(request.bucket).removeprefix("/")
        yield replace(request, object_key=key, path_style=True)


def _find_key(request: Request) -> str:
    path = decode_path(request.raw_path)[1:]
    return path.partition("/")[2] if request.path_style else path


def _names_bucket(request: Request) -> bool:
    return request.object_key == request.bucket or request.object_key.startswith(request.bucket + "/")
