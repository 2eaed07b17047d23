"""The pages say what the code does: every refusal of who asks, every way, every rate."""

import re
from pathlib import Path

import ossgate.access
from ossgate.access.callers import WAYS
from ossgate.access.rates import COUNTED

SOURCES = Path(ossgate.access.__file__).parent
DOCS = SOURCES.parent.parent / "docs"


def test_every_refusal_stands_in_the_api_page():
    """Each code that this package refuses with has its row."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES.glob("*.py"))
    codes = set(
        re.findall(r'"((?:jwt|bearer|csrf|origin|proxy|session|credentials|profile|rate)_[a-z_]+)"', sources)
    )
    codes -= {"rate_limits_unavailable", "proxy_header", "session_json_serializer"}
    page = (DOCS / "api.md").read_text(encoding="utf-8")

    assert len(codes) > 20
    assert set() == {code for code in codes if f"`{code}`" not in page}


def test_every_way_stands_in_the_access_page():
    """Each way to ask, and each way to count, has its row."""
    page = (DOCS / "access.md").read_text(encoding="utf-8")

    for word in (*WAYS, *COUNTED):
        assert f"| `{word}` |" in page
