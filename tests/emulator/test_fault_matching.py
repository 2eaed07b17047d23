"""Which faults are played when, without any server."""

import threading

import pytest

from ossgate.emulator.fault_matching import ActiveFault, Occasion, choose_faults
from ossgate.emulator.fault_plan import MAX_FAULTS, FaultPlan
from ossgate.emulator.fault_rules import FaultRefused, parse_rule

PUT = Occasion("PutObject", "photos", "2026/cat.jpg")


def make_fault(**members: object) -> ActiveFault:
    rule = parse_rule({"on": "callback", "action": "drop", "seed": 1, **members})
    return ActiveFault("f1", rule)


def play(fault: ActiveFault, times: int, occasion: Occasion = PUT) -> list[bool]:
    return [bool(choose_faults([fault], ["callback"], occasion)) for _ in range(times)]


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"operation": "PutObject"}, True),
        ({"operation": "Put*"}, True),
        ({"operation": "PostObject, PutObject"}, True),
        ({"operation": "putobject"}, False),
        ({"bucket": "photos"}, True),
        ({"bucket": "other"}, False),
        ({"key": "2026/*"}, True),
        ({"key": "*.png"}, False),
        ({"prefix": "2026/"}, True),
        ({"prefix": "2026/*"}, False),
        ({"prefix": "2026/", "key": "*.jpg", "operation": "PutObject", "bucket": "ph*"}, True),
    ],
)
def test_fits(match: dict[str, str], fits: bool) -> None:
    """All that a rule names must fit; wildcards are a file name's, a prefix is literal."""
    assert fits == make_fault(**match).fits(PUT)


def test_unknown_key_fits_no_key() -> None:
    """While a form's key is not known, rules that ask for one wait."""
    unknown = Occasion("PostObject", "photos", None)

    assert not make_fault(key="*").fits(unknown)
    assert make_fault().fits(unknown)


def test_nth_and_times() -> None:
    """A fault begins at its nth fitting occasion and is played so many times."""
    fault = make_fault(nth=2, times=2)

    assert [False, True, True, False, False] == play(fault, 5)
    assert (5, 2, 0) == tuple(fault.describe()[name] for name in ("seen", "fired", "left"))


def test_without_end() -> None:
    """A fault without an end is played for ever."""
    fault = make_fault(times=None)

    assert all(play(fault, 50))
    assert fault.describe()["left"] is None


def test_probability_repeats_with_its_seed() -> None:
    """The same seed throws the same dice, another one others; about so many are played."""
    runs = [play(make_fault(times=None, probability=0.3, seed=seed), 1000) for seed in (5, 5, 6)]

    assert runs[0] == runs[1] != runs[2]
    assert 240 < sum(runs[0]) < 360
    assert not any(play(make_fault(times=None, probability=0), 100))


def test_one_of_a_group_others_together() -> None:
    """Of faults that exclude each other the first is played and the others wait; different kinds go together."""
    rules = ["callback.drop", "callback.status=503", "callback.delay", "callback.bad_signature"]
    faults = [ActiveFault(rule, parse_rule(rule)) for rule in rules]

    first, second, third = (
        [fault.fault_id for fault in choose_faults(faults, ["callback"], PUT)] for _ in range(3)
    )
    assert ["callback.drop", "callback.delay", "callback.bad_signature"] == first
    assert ["callback.status=503"] == second
    assert [] == third


def test_other_places_are_left_alone() -> None:
    """Only what is about to happen uses faults up."""
    fault = make_fault()

    assert [] == choose_faults([fault], ["request", "response"], PUT)
    assert 0 == fault.seen


def test_plan_is_bounded() -> None:
    """A thousand faults are kept; spent ones make room."""
    plan = FaultPlan()
    plan.add_rules([parse_rule("callback.drop")] * MAX_FAULTS)
    with pytest.raises(FaultRefused, match="more than 1000 are not kept"):
        plan.add("callback.drop")
    plan.take(["callback"], PUT)

    assert "f1001" == plan.add("callback.drop")
    assert plan.find("f1") is None
    assert plan.remove("f2")
    assert not plan.remove("f2")


def test_plan_counts_exactly_among_threads() -> None:
    """However many threads ask at once, a fault is played exactly as often as it was to be."""
    plan = FaultPlan()
    plan.add({"on": "callback", "action": "drop", "times": 100})
    played: list[int] = []

    def ask() -> None:
        played.append(sum(len(plan.take(["callback"], PUT)) for _ in range(50)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 100 == sum(played)
