"""Buckets and objects by the admin API, and the page's files."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

PAGE = Path(__file__).parents[2] / "ossgate" / "emulator" / "page"


def test_state(client: Any) -> None:
    """The state tells where the emulator is and what its buckets hold."""
    client.put("a")
    state = client.request("GET", "/_emulator/state").json

    assert client.emulator.url == state["url"]
    assert [{"name": "test-bucket", "acl": "private", "versioning": "", "objects": 1}] == state["buckets"]


def test_objects_page_by_page(client: Any) -> None:
    """Objects are told with size, type and ETag, so many at a time, below a prefix."""
    for key in ("a", "p/1", "p/2", "p/3", "z"):
        client.put(key, key.encode(), content_type="text/plain")

    def ask(query: str) -> Any:
        return client.request("GET", f"/_emulator/objects?bucket=test-bucket{query}").json

    first = ask("&prefix=p/&limit=2")
    rest = ask(f"&prefix=p/&limit=2&after={first['next']}")
    assert (["p/1", "p/2"], "p/2") == ([item["key"] for item in first["objects"]], first["next"])
    assert (["p/3"], None) == ([item["key"] for item in rest["objects"]], rest["next"])
    assert 5 == len(ask("")["objects"])
    entry = first["objects"][0]
    assert (3, "text/plain", 32) == (entry["size"], entry["type"], len(entry["etag"]))
    assert 404 == client.request("GET", "/_emulator/objects?bucket=none").status


def test_fetch(client: Any) -> None:
    """An object's bytes come without a signature, and what was uploaded may run nothing here."""
    key = "a b/<猫>.html"
    client.put(key, b"<script>alert(1)</script>", content_type="text/html")
    target = f"/_emulator/object?bucket=test-bucket&key={quote(key, safe='')}"
    answer = client.request("GET", target)
    download = client.request("GET", target + "&download=1")

    assert (b"<script>alert(1)</script>", "text/html") == (answer.body, answer.headers["Content-Type"])
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "attachment; filename*=UTF-8''%3C%E7%8C%AB%3E.html" == download.headers["Content-Disposition"]
    for missing in ("bucket=test-bucket&key=no", "bucket=no&key=a", ""):
        assert 404 == client.request("GET", f"/_emulator/object?{missing}").status


def test_cleared(client: Any) -> None:
    """Objects can be removed alone, or together with faults, uploads and the transcript."""
    client.put("a")
    client.put("b/c")
    client.send("POST", "big", query={"uploads": ""})
    client.request("DELETE", "/_emulator/objects")
    assert 404 == client.head("a").status
    client.put("a")
    client.request("POST", "/_emulator/faults", body=b'"callback.drop"')
    client.request("POST", "/_emulator/clear")

    state = client.request("GET", "/_emulator/state").json
    assert [0] == [bucket["objects"] for bucket in state["buckets"]]
    assert [] == client.request("GET", "/_emulator/events").json["events"]
    assert [] == client.request("GET", "/_emulator/faults").json["faults"]
    assert b"<Upload>" not in client.send("GET", query={"uploads": ""}).body
    files = [path for path in client.emulator.options.data_dir.rglob("*") if path.is_file()]
    assert {"bucket.json", "emulator.lock", "sts.key"} == {path.name for path in files}


def test_faults_one_by_one(client: Any) -> None:
    """A fault has an ID, by which it is told and removed."""
    added = client.request("POST", "/_emulator/faults", body=b'["callback.drop", "callback.double"]').json[
        "added"
    ]
    found = client.request("GET", f"/_emulator/faults/{added[1]}")
    client.request("DELETE", f"/_emulator/faults/{added[0]}")

    assert ("double", 0, 1) == (found.json["action"], found.json["fired"], found.json["left"])
    assert added[1:] == [fault["id"] for fault in client.request("GET", "/_emulator/faults").json["faults"]]
    assert 404 == client.request("GET", f"/_emulator/faults/{added[0]}").status
    assert 405 == client.request("POST", f"/_emulator/faults/{added[1]}").status


def test_actions_are_told(client: Any) -> None:
    """The page learns from the API what can go wrong."""
    actions = client.request("GET", "/_emulator/actions").json["actions"]

    assert {"callback", "request", "response", "clock", "list", "key", "sts"} == {
        item["on"] for item in actions
    }
    assert all(item["title"] for item in actions)


def test_page(client: Any) -> None:
    """The page and its files come with a policy that lets nothing else run."""
    page = client.request("GET", "/_emulator/")
    policy = page.headers["Content-Security-Policy"]

    assert (200, "text/html; charset=utf-8") == (page.status, page.headers["Content-Type"])
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    for name in re.findall(r'(?:src|href)="page/([^"]+)"', page.body.decode()):
        assert 200 == client.request("GET", f"/_emulator/page/{name}").status
    assert b"" == client.request("HEAD", "/_emulator/").body
    for path in ("page/", "page/../admin.py", "page/..%2fadmin.py", "page/nothing.js", "page"):
        assert 404 == client.request("GET", f"/_emulator/{path}").status


def test_page_holds_nothing_inline() -> None:
    """No style attribute, no handler attribute, no inline script or style: the policy would stop them."""
    html = (PAGE / "index.html").read_text("utf-8")

    assert not re.search(r'\s(style|on\w+)="', html)
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)", html)


@pytest.mark.parametrize(
    ("path", "mode", "status"),
    [("", "navigate", 200), ("", "cors", 403), ("events", "navigate", 403), ("clear", "navigate", 403)],
)
def test_opened_from_a_link(client: Any, path: str, mode: str, status: int) -> None:
    """Another site may link to the page, and may do nothing else."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "document"}

    assert status == client.request("GET", f"/_emulator/{path}", headers=headers).status


@pytest.mark.parametrize(("method", "path"), [("DELETE", "objects"), ("POST", "clear"), ("DELETE", "events")])
def test_other_sites_clear_nothing(
    client: Any, method: str, path: str, make_reply: Callable[..., bytes]
) -> None:
    """A page elsewhere cannot clear anything."""
    del make_reply
    client.put("a")
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
        assert 403 == client.request(method, f"/_emulator/{path}", headers=headers).status
    assert 200 == client.head("a").status
    assert 405 == client.request("PUT", f"/_emulator/{path}").status


def test_blank_in_a_query(client: Any) -> None:
    """Form rules hold in queries: the pytest plugin and browsers write a blank as a plus."""
    client.put("a b+c", b"x")

    assert b"x" == client.request("GET", "/_emulator/object?bucket=test-bucket&key=a+b%2Bc").body
