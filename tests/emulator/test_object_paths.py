"""Keys as paths."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossgate.emulator.object_paths import map_key, read_key

PLAIN = ["cat.jpg", "photos/2026/cat.jpg", "图/片.png", "a b.txt", "a-b_c/d.e.f"]


@pytest.mark.parametrize("key", PLAIN)
def test_plain_keys_stay_as_they_are(key: str) -> None:
    """A person finds an ordinary object under its key."""
    assert PurePosixPath(key) == map_key(key)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("README", None),
        ("readme", "readme%"),
        ("v1.0/x.txt", "v1%2E0/x.txt"),
        ("a//b.txt", "a/%-/b.txt"),
        ("dir/", "dir/%-%"),
        ("..", "%2E%2E%"),
        ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd%"),
        ("./x.txt", "%2E/x.txt"),
        ("a:b*c?.txt", "a%3Ab%2Ac%3F.txt"),
        ("a%41.txt", "a%2541.txt"),
        ("ends. ", "ends%2E%20%"),
    ],
)
def test_awkward_keys(key: str, path: str | None) -> None:
    """What a file system cannot hold is escaped, visibly."""
    assert path is None or path == str(map_key(key))


def test_kinds_that_file_systems_confuse() -> None:
    """Case, normal form, reserved names, files against folders: all are told apart."""
    keys = [
        "a.txt",
        "A.txt",
        "\u00e9.txt",
        "e\u0301.txt",
        "con.txt",
        "CON.txt",
        "a",
        "a/b",
        "A/b",
        "a/",
        "a/b/",
        "a.b",
        "a.b/c",
    ]
    names = [str(map_key(key)).lower() for key in keys]

    assert len(keys) == len(set(names))


pieces = st.sampled_from([*"aAbB.%~-/\\: *\u00e9\u0301图", "con", "x" * 120])
keys = st.lists(pieces, min_size=1, max_size=30).map("".join).filter(lambda key: len(key.encode()) <= 1023)


@given(st.lists(keys, min_size=2, max_size=8, unique=True))
def test_different_keys_never_share_a_path(several: list[str]) -> None:
    """Not even where case does not count; and no path is another's folder."""
    paths = [str(map_key(key)).casefold() for key in several]

    assert len(set(paths)) == len(several)
    for path in paths:
        assert not any(other != path and other.startswith(path + "/") for other in paths)


@given(keys)
def test_no_path_escapes(key: str) -> None:
    """Every part is a plain name of a bearable length."""
    path = map_key(key)

    assert not path.is_absolute()
    for part in path.parts:
        assert part not in ("", ".", "..")
        assert len(part.encode()) < 250
        assert not set(part) & set('\\:*?"<>|\x00')
        assert part[-1] not in ". "


@given(keys)
def test_path_tells_its_key(key: str) -> None:
    """A path tells the key that it was made of, or that it holds only a piece of it."""
    assert read_key(map_key(key)) in (key, None)


@pytest.mark.parametrize(
    "key", ["a", "a.b", "a/b.c", "dir/", "a//b", "%41", "a.b/c.d", "键/片.png", "a b", "a."]
)
def test_common_paths_tell_their_keys(key: str) -> None:
    """The keys of every day need no look into their metadata."""
    assert key == read_key(map_key(key))
