"""Answers to clients are lost, late, or overtaken: they ask again, and it is counted once."""

import threading

import pytest
import urllib3


def start(call, answers):
    """Have a client call, and keep what it hears."""

    def ask():
        try:
            answers.append(call())
        except urllib3.exceptions.HTTPError as error:
            answers.append(error)

    client = threading.Thread(target=ask)
    client.start()
    return client


def test_client_never_hears(world, check_all):
    """The callback has come, and OSS's answer to the client is lost: it asks again with the same form, then confirms."""
    grant = world.ask()
    with pytest.raises(urllib3.exceptions.HTTPError):
        world.post(grant, fault="response.reset=0")
    again = world.post(grant)
    confirmed = world.confirm(grant)

    assert (409, 200, "uploaded") == (again.status, confirmed.status, world.state(grant))
    assert [] == world.settle()
    check_all(world)


def test_client_confirms_while_the_callback_is_held(world, check_all):
    """`confirm` is faster than the callback: both get the same reply."""
    grant, answers = world.ask(), []
    hold = world.callbacks.hold(b"POST /callback")
    uploader = threading.Thread(target=lambda: answers.append(world.post(grant)))
    uploader.start()
    hold.wait()
    confirmed = world.confirm(grant)
    hold.release()
    uploader.join()

    assert (200, 200, confirmed.json) == (confirmed.status, answers[0].status, answers[0].json)
    assert [] == world.settle()
    check_all(world)


@pytest.mark.long
def test_post_is_cut_on_its_way(world, check_all):
    """The client's connection breaks in the middle of the body: nothing is stored, nothing counts, and it tries again."""
    grant = world.ask()
    with pytest.raises(urllib3.exceptions.HTTPError):
        world.post(grant, b"x" * 200_000, fault="request.reset=100000")
    assert "issued" == world.state(grant)
    assert 200 == world.post(grant, b"x" * 200_000).status

    assert [] == world.settle()
    check_all(world)


def test_everybody_else_hears_before_the_client(world, check_all):
    """OSS's answer to the client is late: the application has been told by then, and another page has confirmed."""
    grant, answers = world.ask(), []
    client = start(lambda: world.post(grant, fault="response.stall=1.5"), answers)
    world.wait_for(lambda: world.state(grant) == "uploaded")
    world.deliver()
    confirmed = world.confirm(grant)
    assert [] == answers
    client.join()

    assert (200, 200, confirmed.json) == (confirmed.status, answers[0].status, answers[0].json)
    assert 1 == len(world.receiver.told)
    assert [] == world.settle()
    check_all(world)


def test_grant_is_lost_on_its_way(world, check_all):
    """The ledger has the grant and the client does not: it asks again, and the first ends as overdue."""
    hold, answers = world.clients.hold_answer(b"POST /v1/uploads"), []
    client = start(world.ask, answers)
    hold.wait()
    hold.cut()
    client.join()
    assert isinstance(answers[0], urllib3.exceptions.HTTPError)
    world.upload()

    assert [("overdue", "settled")] == world.settle()
    check_all(world)


def test_confirmation_is_lost_on_its_way(world, check_all):
    """It was recorded and the client does not know: asked again, the answer is the same."""
    grant, answers = world.ask(), []
    world.fault("callback.drop")
    world.post(grant)
    hold = world.clients.hold_answer(b"/confirm")
    client = start(lambda: world.confirm(grant), answers)
    hold.wait()
    hold.cut()
    client.join()
    assert isinstance(answers[0], urllib3.exceptions.HTTPError)
    assert "uploaded" == world.state(grant)
    assert 200 == world.confirm(grant).status

    assert [] == world.settle()
    check_all(world)


@pytest.mark.long
@pytest.mark.parametrize("way", ["slow", "sliced"])
def test_way_of_clients(world, check_all, way):
    """Clients far away, on a line that gives a few bytes at a time."""
    if way == "slow":
        world.clients.latency = 0.2
    else:
        world.clients.slice_bytes, world.clients.slice_pause = 31, 0.002
    grants = [world.ask() for _ in range(3)]
    assert [200] * 3 == [answer.status for answer in world.post_all(grants)]
    assert {200} == {world.confirm(grant).status for grant in grants}

    assert [] == world.settle()
    check_all(world)
