"""Whatever a client sends, a contract reads a wish from it or refuses it as ours; and it writes nothing that is not JSON or text."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.dialects.contract import DialectRequest, Refusal
from signer.dialects.registry import DIALECTS
from signer.dialects.wishes import Wish
from signer.errors import SignerError

NAMES = st.sampled_from(
    [
        "filename",
        "name",
        "type",
        "size",
        "via",
        "key",
        "partNumbers",
        "callback",
        "grant",
        "metadata[x]",
        "method",
    ]
)
VALUES = st.one_of(st.text(max_size=40), st.integers(-2, 10**30).map(str))
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(
        st.sampled_from(
            ["filename", "parts", "key", "method", "uploadId", "partNumber", "metadata", "size", "type"]
        ),
        JSON_VALUES,
        max_size=5,
    ).map(lambda fields: json.dumps(fields).encode()),
)
ROUTES = [(name, number) for name, dialect in DIALECTS.items() for number in range(len(dialect.routes))]


@pytest.mark.parametrize(("name", "number"), ROUTES)
def test_garbage_ends_in_a_wish_or_in_our_errors(name, number):
    """No other exception, of any route, in any variant."""
    dialect = DIALECTS[name]

    @settings(max_examples=40)
    @given(
        st.sampled_from(dialect.variants),
        st.dictionaries(NAMES, VALUES, max_size=5),
        VALUES,
        BODIES,
        st.sampled_from(["application/json", "application/x-www-form-urlencoded", "", "text/html"]),
    )
    def read(variant, query, argument, body, content_type):
        request = DialectRequest(
            method="POST",
            query=query,
            arguments={"upload_id": argument, "part_number": argument},
            body=body,
            content_type=content_type,
            accept=argument,
        )
        options = replace(dialect.defaults, variant=variant)
        try:
            wish = dialect.routes[number].read(request, options)
        except SignerError as error:
            answer = dialect.refuse(Refusal(422, error.code, error.message, error.hint), request, options)
            assert answer.body
            return
        assert isinstance(wish, Wish)

    read()
