"""Many at once: uploads that wait for their callback, and the HEAD that the callback asks."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def test_hundred_uploads_whose_callbacks_ask_head(
    client: Any, receiver: Any, callback: Callable[..., str], make_reply: Any
) -> None:
    """All hundred wait in their callback at the same moment, each asks HEAD, and all succeed."""
    everybody = threading.Barrier(100, timeout=4)
    heads: list[int] = []

    def answer(received: Any) -> bytes:
        everybody.wait()
        key = received.body.decode().removeprefix("object=")
        heads.append(client.head(key).status)
        return bytes(make_reply(200, b'{"Status":"OK"}'))

    receiver.answer = answer
    encoded = callback(receiver.url, "object=${object}")

    def post(number: int) -> tuple[int, bytes]:
        found = client.post(client.make_fields(key=f"{number}.bin", callback=encoded), b"x" * 50_000)
        return found.status, found.body

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(post, range(100)))

    assert Counter({(200, b'{"Status":"OK"}'): 100}) == Counter(answers)
    assert Counter({200: 100}) == Counter(heads)


def test_uploads_beyond_the_limit_are_told(
    start_emulator: Callable[..., Any], receiver: Any, callback: Callable[..., str], make_reply: Any
) -> None:
    """An upload too many is refused with 503, while HEAD is still answered."""
    waiting, released = threading.Semaphore(0), threading.Event()

    def answer(_: Any) -> bytes:
        waiting.release()
        released.wait(4)
        return bytes(make_reply(200, b"{}"))

    receiver.answer = answer
    client = start_emulator(max_uploads=3)
    fields = client.make_fields(callback=callback(receiver.url))
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(client.post, fields) for _ in range(3)]
        for _ in running:
            assert waiting.acquire(timeout=4)
        refused, head = client.post(fields), client.head("a.txt")
        released.set()

    assert (503, "ServiceUnavailable") == refused.error[:2]
    assert 200 == head.status
    assert [200, 200, 200] == [future.result().status for future in running]
    assert 200 == client.post(fields).status


def test_one_key_by_many(client: Any) -> None:
    """Of many uploads to one key that forbid overwriting, exactly one wins."""
    fields = client.make_fields(**{"x-oss-forbid-overwrite": "true"})
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: client.post(fields, b"%d" % number).status, range(20)))

    assert Counter({204: 1, 409: 19}) == Counter(answers)
    assert b"%d" % answers.index(204) == client.get("a.txt").body


def test_overwritten_and_read_at_once(client: Any) -> None:
    """A reader sees one version whole: its bytes fit its ETag."""
    versions = [bytes([65 + number]) * 10_000 for number in range(4)]
    client.post(file=versions[0])
    etags = {data: client.post(client.make_fields(key="b"), data).headers["ETag"] for data in versions}

    def read(_: int) -> bool:
        found = client.get("a.txt")
        return bool(found.headers["ETag"] == etags[found.body])

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(client.post, None, versions[number % 4]) for number in range(40)]
        assert all(pool.map(read, range(80)))
        assert {204} == {future.result().status for future in writers}


def test_one_key_in_every_way(client: Any) -> None:
    """PUT, form, copy and parts to one key at once: whatever is left is one of them, whole."""
    letters = "abcdefgh"
    for letter in letters[:2]:
        client.put(f"source-{letter}", letter.encode() * 50_000)
    ids = [client.initiate("k") for _ in range(2)]
    for letter, upload_id in zip(letters[2:4], ids, strict=True):
        client.upload_part("k", upload_id, 1, letter.encode() * 50_000)
    acts: list[Callable[[], Any]] = [
        *(
            lambda letter=letter: client.send(
                "PUT", "k", headers={"x-oss-copy-source": f"/test-bucket/source-{letter}"}
            )
            for letter in letters[:2]
        ),
        *(lambda upload_id=upload_id: client.complete("k", upload_id) for upload_id in ids),
        *(lambda letter=letter: client.put("k", letter.encode() * 50_000) for letter in letters[4:6]),
        *(
            lambda letter=letter: client.post(client.make_fields(key="k"), letter.encode() * 50_000)
            for letter in letters[6:8]
        ),
    ]
    with ThreadPoolExecutor(8) as pool:
        statuses = [answer.status for answer in pool.map(lambda act: act(), acts)]
    found = client.get("k")

    assert [200] * 6 + [204] * 2 == statuses
    assert (50_000, 1) == (len(found.body), len(set(found.body)))
    listed = client.send("GET", query={"prefix": "k"})
    assert found.headers["ETag"] in listed.body.decode()


def test_written_and_deleted_at_once(client: Any) -> None:
    """Neighbours in a folder that comes and goes do not disturb each other."""

    def work(number: int) -> list[int]:
        key = f"folder/inner/{number}"
        return [
            status
            for _ in range(10)
            for status in (client.put(key).status, client.head(key).status, client.delete(key).status)
        ]

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(work, range(6)))

    assert [[200, 200, 204] * 10] * 6 == results
    assert b"<KeyCount>0</KeyCount>" in client.send("GET", query={"list-type": "2"}).body
