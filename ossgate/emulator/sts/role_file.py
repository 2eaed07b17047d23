"""Roles from a file, for the command line."""

import json
from pathlib import Path
from typing import Any

from ossgate.emulator.sts.options import StsRole

_MEMBERS = {
    "arn": (str,),
    "policy": (dict,),
    "max_session_duration": (int,),
    "external_id": (str,),
    "trusts_caller": (bool,),
}


def read_roles(path: Path) -> tuple[StsRole, ...]:
    """Read a JSON list of roles: objects with the members of `StsRole`, the policy as an object.

    Raises:
        ValueError: The file is no such list; the text says which role and why.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError("the file is not JSON") from error
    if not isinstance(document, list) or not document:
        raise ValueError("the file is no list of roles")
    roles = []
    for number, role in enumerate(document, 1):
        try:
            roles.append(_read_role(role))
        except ValueError as error:
            raise ValueError(f"role {number}: {error}") from error
    return tuple(roles)


def _read_role(document: object) -> StsRole:
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    members: dict[str, Any] = dict(document)
    for name, value in members.items():
        # A truth value is an integer to Python, and no duration.
        if name not in _MEMBERS or type(value) not in _MEMBERS[name]:
            raise ValueError(f"{str(name)[:64]!r} is no member of a role, or not of its type")
    if "arn" not in members:
        raise ValueError("it has no arn")
    if "policy" in members:
        members["policy"] = json.dumps(members["policy"])
    return StsRole(**members)
