"""How a refusal has to look: its code documented, in the words of its client."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
BY_CODE = re.findall(
    r"^\| (`\w+`(?:, `\w+`)*) \| (\d{3}) \|", (DOCS / "api.md").read_text("utf-8"), re.MULTILINE
)
DIALECTS_PAGE = (DOCS / "dialects.md").read_text("utf-8")
# Of a contract alone, another status than everybody else's.
OWN = {
    (contract, int(status), code)
    for contract, status, codes in re.findall(r"`(\w+)` answers (\d{3}) for ([^,;.]+)[,;.]", DIALECTS_PAGE)
    for code in re.findall(r"`(\w+)`", codes)
}
DOCUMENTED = (
    {("", int(status), code) for codes, status in BY_CODE for code in re.findall(r"`(\w+)`", codes)}
    | {("", int(status), code) for code, status in re.findall(r"`(\w+)` \((\d{3}),", DIALECTS_PAGE)}
    | OWN
)


def read_error(contract, answer, status, code):
    """Read an error as the client of a contract does; what it says of itself has to be true."""
    if contract == "put_text" and "json" not in answer.content_type:
        assert answer.content_type == "text/plain; charset=utf-8"
        return answer.text
    told = answer.json
    if not contract:
        assert told.keys() == {"error"}
        assert told["error"]["code"] == code
        assert answer.headers["X-Request-ID"] == told["error"]["request_id"]
        return told["error"]["message"]
    if contract in ("mall", "gulimall"):
        name = "message" if contract == "mall" else "msg"
        assert (status, None) == (told["code"], told["data"])
        return told[name]
    if contract == "sts_mobile":
        assert (500, code) == (told["StatusCode"], told["ErrorCode"])
        return told["ErrorMessage"]
    if contract == "credentials_uri":
        assert told["Code"] == code
        return told["Message"]
    if contract == "sts_web":
        return told
    if contract == "companion":
        assert (told["message"], code) == (told["error"], told["code"])
        return told["error"]
    if contract != "form_data":
        assert told["error"] == code
    return told["message"]


def check_answer(answer, case):
    """Check what every refusal has: a documented code, a short message, a length, and nothing that may be kept on the way."""
    message = read_error(case.contract, answer, case.status, case.code)
    assert isinstance(message, str)
    assert 0 < len(message) < 600
    assert (
        case.contract if (case.contract, case.status, case.code) in OWN else "",
        case.status,
        case.code,
    ) in DOCUMENTED
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.data) < 2_000
