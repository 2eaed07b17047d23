"""Faults that the admin API asks for befall AssumeRole."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ossgate.emulator.events import Transcript
from ossgate.emulator.fault_plan import FaultPlan
from ossgate.emulator.fault_player import FaultPlayer


@pytest.mark.parametrize(
    ("fault", "code"),
    [("sts.refuse", "NoPermission"), ("sts.throttle", "Throttling"), ("sts.fail", "InternalError")],
)
def test_fault_befalls_a_call(make_caller: Callable[..., Any], fault: str, code: str) -> None:
    """A call is refused as it was asked for, once, and told in the transcript."""
    plan, transcript = FaultPlan(), Transcript()
    plan.add(fault)
    player = FaultPlayer(plan, transcript, now=lambda: datetime.now(UTC))
    caller = make_caller(take_fault=player.take_sts)

    assert code in caller.call().error[1]
    assert 200 == caller.call().status
    assert [("fault", fault)] == [(event["event"], event["fault"]) for event in transcript.list_events()]
