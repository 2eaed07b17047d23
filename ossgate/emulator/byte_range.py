"""Single byte ranges, as OSS reads them: an invalid one means the whole object.

Source: https://help.aliyun.com/zh/oss/developer-reference/getobject
"""

import re

from ossgate.emulator.errors import INVALID_RANGE, OssError

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def find_range(header: str, size: int, *, strict: bool = False) -> tuple[int, int]:
    """Tell the first byte and the byte after the last.

    Args:
        header: `bytes=first-last`, `bytes=first-` or `bytes=-count`; empty for everything.
        strict: Whether a range outside the object is refused, as HTTP's standard has it.

    Raises:
        OssError: The range lies outside, and that matters.
    """
    match = _RANGE.fullmatch(header.strip())
    first, last = match.groups() if match else ("", "")
    if first and int(first) < size and (not last or int(last) >= int(first)):
        return int(first), min(int(last) + 1, size) if last else size
    if not first and last and int(last) > 0 and size > 0:
        return max(size - int(last), 0), size
    if strict and match and (first or last):
        raise OssError(INVALID_RANGE, headers=[("Content-Range", f"bytes */{size}")])
    return 0, size
