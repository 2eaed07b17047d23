"""What nobody thought of."""

import json
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signer.dialects.registry import DIALECTS
from tests.bad_input.answers import DOCUMENTED

STATUSES = {(status, code) for _, status, code in DOCUMENTED}
POSTED = [
    *(
        "/v1/uploads",
        "/v1/credentials",
        "/v1/bearers",
        "/v1/uploads/<open>/parts",
        "/v1/uploads/<open>/complete",
    ),
    *(
        "/presign",
        "/get_presigned_url_for_oss_upload",
        "/s3/multipart",
        "/s3/multipart/<uppy>/complete?key=<uppy_key>",
    ),
    *("/v1/confirm", "/uppy/sign", "/sts"),
]
FETCHED = [path for one in DIALECTS.values() for path in one.usual_paths if "GET" in one.routes[0].methods]
WORDS = st.sampled_from(
    ["profile", "filename", "size", "content_type", "via", "vars", "subject", "files", "part_numbers", "parts", "use", "key", "method", "uploadId",
     "partNumber", "presign", "PartNumber", "ETag", "etag", "part_number", "expires_in", "type", "metadata", "grant", "token", "callback"]
)  # fmt: skip
SENSE = st.sampled_from(
    ["file", "photo", "closed", "post", "put", "multipart", "a.bin", "prefix", "once", "PUT", "a" * 300]
)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=12) | SENSE,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
BODIES = st.dictionaries(WORDS, VALUES, max_size=5).map(
    lambda fields: json.dumps(fields).encode()
) | st.binary(max_size=60)
QUERIES = st.dictionaries(WORDS, st.text(max_size=12) | SENSE, max_size=4).map(urlencode)
WHO = st.sampled_from(["", "shop", "rival", "operator", "x.y.z"])


@settings(
    max_examples=250, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_garbage_is_granted_or_refused_and_refusals_change_nothing(world, data):
    """Any body to any address that takes one, any query to any other: no crash, no code that is not documented, no row of a refusal."""
    posted = data.draw(st.booleans())
    path = data.draw(st.sampled_from(POSTED if posted else FETCHED))
    query, body = data.draw(QUERIES), data.draw(BODIES) if posted else None
    before = world.copy()
    answer = world.call(
        "POST" if posted else "GET",
        world.fill(path) + ("&" if "?" in path else "?") + query,
        body,
        who=data.draw(WHO),
    )

    assert set() == world.find_told()
    if not world.tells_of_refusal():
        assert answer.status_code in (200, 201)
        return
    assert world.read_refusal() in STATUSES
    assert before == world.copy()
