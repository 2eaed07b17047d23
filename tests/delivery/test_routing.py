"""Who hears of what."""

import pytest

from ossgate.delivery.routing import Routes, Subscription


@pytest.mark.parametrize(
    ("profile", "event", "sinks"),
    [
        ("photo", "upload.uploaded", ("all", "photos", "uploads", "photo-uploads")),
        ("file", "upload.uploaded", ("all", "uploads")),
        ("photo", "upload.deleted", ("all", "photos")),
        ("a profile that is gone", "upload.expired", ("all",)),
    ],
)
def test_routes(profile, event, sinks):
    """A sink hears of its profiles and its types, in the order of the settings; without a word, of everything."""
    routes = Routes(
        [
            Subscription("all"),
            Subscription("photos", profiles=frozenset({"photo"})),
            Subscription("uploads", types=frozenset({"upload.uploaded"})),
            Subscription("photo-uploads", frozenset({"upload.uploaded"}), frozenset({"photo"})),
        ]
    )

    assert routes(profile, event) == routes(profile, event) == sinks
