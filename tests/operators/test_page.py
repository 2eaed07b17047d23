"""The console's page holds nothing, in two languages, and is kept to itself."""

import json
import re
from pathlib import Path

from flask.testing import FlaskClient

from ossgate.operators.page import load_console_messages

ROOT = Path(__file__).resolve().parents[2]


def test_console_is_the_same_for_everybody(client: FlaskClient) -> None:
    """Who asks without a key gets the page, and nothing of the ledger in it."""
    client.post("/v1/uploads", json={"profile": "photo", "filename": "a.jpg"})
    response = client.get("/console")

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in response.headers
    assert "a.jpg" not in response.text


def test_console_speaks_the_readers_language(client: FlaskClient) -> None:
    """Chinese for who wants it, English for all others."""
    chinese = client.get("/console", headers={"Accept-Language": "zh-CN,en;q=0.5"}).text
    english = client.get("/console", headers={"Accept-Language": "fr"}).text

    assert ('<html lang="zh-Hans">' in chinese, "控制台" in chinese) == (True, True)
    assert ('<html lang="en">' in english, "Operator&#39;s API key" in english) == (True, True)


def test_texts_are_complete_in_both_languages() -> None:
    """Both have the same keys with the same places for values, and every text that is named is there."""
    english, chinese = (load_console_messages(language).server for language in ("en", "zh"))
    names = [
        {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in texts.items()}
        for texts in (english, chinese)
    ]
    sources = (ROOT / "templates/console.html").read_text()
    sources += "".join(path.read_text() for path in (ROOT / "static").glob("console*.js"))
    named = set(re.findall(r"""\bt\(["']([a-z_]+\.[a-z_.]+)["'][),]""", sources))

    assert names[0] == names[1]
    assert named - set(english) == set()
    assert json.loads((ROOT / "static/messages/console/zh.json").read_text()) == chinese
