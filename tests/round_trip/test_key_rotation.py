"""OSS's AccessKey is changed while the server runs: what was granted under the first is good as long as both are."""

import time

import pytest
import urllib3

from ossgate.emulator.credentials import Credentials

PATIENCE = 10.0
SECOND = Credentials("second-key-id", "second-key-secret")


@pytest.fixture
def rotate(monkeypatch, tmp_path, make_world):
    """A set-up whose account has two AccessKeys, and a way to write the second where the first was."""
    monkeypatch.setattr("ossgate.oss_credentials.LOOK_SECONDS", 0.02)
    monkeypatch.setattr("ossgate.oss_credentials.SETTLE_SECONDS", 0.05)

    def write(world):
        (tmp_path / "secrets" / "access-key-id").write_text(SECOND.access_key_id)
        (tmp_path / "secrets" / "access-key-secret").write_text(SECOND.access_key_secret)
        deadline = time.monotonic() + PATIENCE
        while SECOND.access_key_id not in (grant := world.ask())["fields"]["x-oss-credential"]:
            assert time.monotonic() < deadline, "the second key is not used"
            time.sleep(0.05)
        return grant

    with make_world(emulator_options={"temporary_credentials": [SECOND]}) as world:
        yield world, lambda: write(world)


def send_part(world, grant, number, data):
    (part,) = world.call("POST", grant["parts_url"], {"part_numbers": [number]}).json["parts"]
    answer = world.http.request("PUT", part["url"], body=data, headers=part["headers"])
    assert answer.status == 200, answer.data
    return part["url"]


def test_two_access_keys_are_good_at_once(rotate):
    """A form of the first key is posted after the change; an upload in parts that was begun by the first goes on by the second."""
    world, change = rotate
    data = [b"a" * 102_400, b"b" * 5]
    form = world.ask()
    put = world.ask(profile="file", filename="b.bin", via="put", size=3)
    film = world.ask(profile="file", filename="f.bin", via="multipart", size=102_405, part_size=102_400)
    first_url = send_part(world, film, 1, data[0])
    fresh = change()
    second_url = send_part(world, film, 2, data[1])

    assert ("test-key-id", "second-key-id") == tuple(
        urllib3.util.parse_url(url).query.partition("x-oss-credential=")[2].partition("%2F")[0]
        for url in (first_url, second_url)
    )
    assert [200, 200] == [world.post(form).status, world.post(fresh).status]
    assert 200 == world.http.request("PUT", put["url"], body=b"abc", headers=put["headers"]).status
    assert 200 == world.call("POST", film["complete_url"]).status
    for grant in (form, fresh, put, film):
        assert "uploaded" == world.ledger.fetch_upload(grant["upload_id"]).state
