"""The scenarios, as pytest collects them: `python -m tests.faults.listing` prints them as JSON."""

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest

DATABASES = ("sqlite", "postgresql")
FOLDER = Path(__file__).parent
# They take longer to load than all else, and change nothing here.
WITHOUT = ("schemathesis", "playwright", "hypothesispytest", "cacheprovider")


class Listing:
    """Keeps what is collected."""

    def __init__(self):
        self.found = []

    def pytest_collection_finish(self, session):
        for item in session.items:
            marks = item.callspec.id.split("-") if hasattr(item, "callspec") else []
            on = [mark for mark in marks if mark in DATABASES]
            self.found.append(
                {
                    "file": item.path.name,
                    "test": item.originalname,
                    "case": "-".join(mark for mark in marks if mark not in DATABASES),
                    "database": on[0] if on else None,
                    "is_long": item.get_closest_marker("long") is not None,
                    "says": item.obj.__doc__.strip(),
                }
            )


def collect():
    """Collect all, long or not."""
    listing = Listing()
    options = ["--collect-only", "-q", "-m", "", *(f"-pno:{name}" for name in WITHOUT)]
    with contextlib.redirect_stdout(io.StringIO()) as told:
        code = pytest.main([str(FOLDER), *options], plugins=[listing])
    if code:
        sys.exit(told.getvalue())
    return listing.found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(collect()))
