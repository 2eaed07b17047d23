"""What the measurements put under load answers as the server does: else they would measure refusals."""

from io import BytesIO

import pytest

from bench.apps import create_without_ledger
from bench.callbacks import CallbackMaker, build_issue_requests
from bench.workplace import CLAIMS_PROFILE, HEAD_PROFILE, SQLITE_URL, set_up_workplace


def send(app, request):
    """Send the bytes of a request."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return app.test_client().post(first.split(" ")[1], headers=headers, input_stream=BytesIO(body))


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    made = set_up_workplace(tmp_path, 9)
    for name, value in made.environment(SQLITE_URL).items():
        monkeypatch.setenv(name, value)
    return made


def test_without_a_ledger_all_is_granted_and_believed(workplace):
    """Grants and callbacks, again and again."""
    app = create_without_ledger()
    issue = build_issue_requests(workplace.api_key, HEAD_PROFILE)[0]
    callback = next(CallbackMaker(workplace).prepare(CLAIMS_PROFILE, 1)).request

    assert [send(app, request).status_code for request in (issue, callback, callback)] == [201, 200, 200]
