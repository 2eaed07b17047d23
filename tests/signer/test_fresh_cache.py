"""Made once, however many ask; made anew before it ends."""

import threading

import pytest

from signer.fresh_cache import FreshCache


def test_value_is_made_once_while_it_is_fresh() -> None:
    """The second who asks gets what the first did; a stale one is made anew."""
    made: list[int] = []
    fresh = {1}
    cache: FreshCache[int] = FreshCache(lambda value: value in fresh)

    def make() -> int:
        made.append(len(made) + 1)
        return made[-1]

    assert [cache.obtain("a", make), cache.obtain("a", make)] == [1, 1]
    fresh.clear()
    assert cache.obtain("a", make) == 2
    assert cache.obtain("b", make) == 3


def test_many_at_once_make_one() -> None:
    """Single flight: the others wait for the one that is being made."""
    started, go, made = threading.Event(), threading.Event(), []
    cache: FreshCache[int] = FreshCache(lambda value: True)

    def make() -> int:
        made.append(1)
        started.set()
        assert go.wait(5)
        return 7

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(cache.obtain("a", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert started.wait(5)
    # Another key does not wait for it.
    assert cache.obtain("b", lambda: 8) == 8
    go.set()
    for thread in threads:
        thread.join()

    assert (results, made) == ([7] * 8, [1])


def test_failure_is_raised_and_not_kept() -> None:
    """The next who asks tries again."""
    cache: FreshCache[int] = FreshCache(lambda value: True)

    def fail() -> int:
        raise KeyError("no")

    with pytest.raises(KeyError):
        cache.obtain("a", fail)

    assert cache.obtain("a", lambda: 1) == 1


def test_least_recently_asked_for_goes_first() -> None:
    """Memory is bounded."""
    cache: FreshCache[int] = FreshCache(lambda value: True, max_entries=2)
    for key in ("a", "b", "a", "c"):
        cache.obtain(key, lambda: 1)

    assert cache.obtain("a", lambda: 2) == 1
    assert cache.obtain("b", lambda: 2) == 2
