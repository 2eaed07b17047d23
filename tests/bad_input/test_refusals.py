"""Whatever is wrong with a request: a documented status and code, in the words of its client, and nothing that changes or leaks."""

import pytest

from tests.bad_input.answers import check_answer
from tests.bad_input.contract_cases import dress, list_contract_cases
from tests.bad_input.issue_cases import list_body_cases, list_issue_cases, list_other_cases
from tests.bad_input.upload_cases import list_callback_cases, list_key_cases, list_upload_cases

CASES = [
    *list_issue_cases(),
    *list_upload_cases(),
    *list_key_cases(),
    *list_body_cases(),
    *list_other_cases(),
    *list_contract_cases(),
]


@pytest.mark.parametrize(
    ("world", "case"),
    [
        pytest.param(database, case, id=f"{database} {case.name}")
        for case in CASES
        # What a contract makes of a refusal has nothing to do with the database.
        for database in (("sqlite",) if case.contract else ("sqlite", "postgresql"))
    ],
    indirect=["world"],
)
def test_refusal_is_documented_and_changes_nothing(world, case):
    """Each is refused as it should be; ledger, quota and bucket are what they were, and the log holds no secret."""
    before = world.copy()
    answer = world.call(case.method, world.fill(case.path), case.body, who=case.who, headers=case.headers)

    assert (case.status, case.code) == world.read_refusal()
    assert dress(case.contract, case.status) == answer.status_code
    check_answer(answer, case)
    assert before == world.copy()
    assert set() == world.find_told()


@pytest.mark.parametrize(
    ("world", "case"),
    [
        pytest.param(database, case, id=f"{database} {case.name}")
        for case in list_callback_cases()
        for database in ("sqlite", "postgresql")
    ],
    indirect=["world"],
)
def test_refused_callback_is_kept_and_changes_nothing_else(world, case):
    """What is no callback of OSS's is one row more among the refusals."""
    (before, stored) = world.copy()
    answer = world.call(case.method, case.path, case.body, headers=case.headers)
    kept = world.wait_for_refusals(len(before.pop("inbox")) + 1)
    (after, still_stored) = world.copy()

    assert (case.status, case.code) == world.read_refusal()
    check_answer(answer, case)
    assert kept == len(after.pop("inbox"))
    assert (before, stored) == (after, still_stored)
    assert set() == world.find_told()
