"""Roles from a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ossgate.emulator.cli import command
from ossgate.emulator.sts.role_file import read_roles

ARN = "acs:ram::1234567890123456:role/uploader"
POLICY = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:*", "Resource": "*"}]}


def test_roles_are_read(tmp_path: Path) -> None:
    """Each object becomes a role with what it says."""
    path = tmp_path / "roles.json"
    path.write_text(
        json.dumps([{"arn": ARN, "policy": POLICY, "max_session_duration": 7200}, {"arn": ARN + "2"}])
    )
    one, two = read_roles(path)

    assert (ARN, POLICY, 7200) == (one.arn, json.loads(one.policy or ""), one.max_session_duration)
    assert (ARN + "2", None, 3600, "", True) == (
        two.arn,
        two.policy,
        two.max_session_duration,
        two.external_id,
        two.trusts_caller,
    )


REFUSED: list[tuple[Any, str]] = [
    ("no json", "the file is not JSON"),
    ({}, "the file is no list"),
    ([], "the file is no list"),
    (["x"], "role 1: it is no object"),
    ([{"arn": ARN}, {}], "role 2: it has no arn"),
    ([{"arn": "uploader"}], "role 1: 'uploader' is no role ARN"),
    ([{"arn": ARN, "name": "x"}], "role 1: 'name' is no member"),
    ([{"arn": ARN, "policy": "x"}], "role 1: 'policy' is no member"),
    ([{"arn": ARN, "policy": {}}], "role 1: a policy has Version and Statement"),
    ([{"arn": ARN, "max_session_duration": True}], "role 1: 'max_session_duration' is no member"),
    ([{"arn": ARN, "max_session_duration": 60}], "role 1: max_session_duration must be"),
]


@pytest.mark.parametrize(("document", "reason"), REFUSED)
def test_file_refused(tmp_path: Path, document: Any, reason: str) -> None:
    """The command line names the role and what is wrong with it, and exits with 2."""
    path = tmp_path / "roles.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    result = CliRunner().invoke(command, ["--data-dir", str(tmp_path / "data"), "--sts-roles", str(path)])

    assert 2 == result.exit_code
    assert f"The roles in {path} cannot be used ({reason}" in result.output
