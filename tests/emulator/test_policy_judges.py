"""Twenty thousand forms under as many policies, judged by the emulator over HTTP and by a second reading of the rules."""

import http.client
import json
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

PAIRS = 20_000
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
KEYS = ["a.txt", "b/a.txt", "b/${filename}", "中 文", "cost-5$"]
TYPES = ["text/plain", "image/png", "text/html; charset=utf-8"]
VALUES = ["", "a", "A", "ab", "b/", "中", *KEYS, *TYPES, "200", "test-bucket", "${filename}"]
FIELDS = ["x:token", "x:Owner", "x-oss-meta-a", "success_action_status", "x-oss-content-type", "Content-Type"]
NAMES = ["key", "bucket", "content-type", "absent", "x:absent", *FIELDS]
ESCAPED = "<dollar>"
Form = dict[str, str]


class Maker:
    """Makes policies and forms that often, but not always, suit each other."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def make_form(self) -> tuple[Form, str | None, bytes]:
        """Make fields, the file part's own type and the file."""
        dice = self.dice
        fields = {"key": dice.choice(KEYS)}
        for name in FIELDS:
            if dice.random() < 0.4:
                # Names are read without case.
                spelt = dice.choice([name, name.lower(), name.upper()])
                fields[spelt] = dice.choice(TYPES if name.lower().endswith("type") else VALUES)
        return fields, dice.choice([None, *TYPES]), b"x" * dice.randrange(0, 12)

    def make_policy(self, fields: Form, own: list[Any]) -> str:
        """Make a policy's text for a form; one in twenty is malformed somewhere."""
        dice = self.dice
        conditions = [*own, *(self._make_condition(fields) for _ in range(dice.randrange(1, 5)))]
        dice.shuffle(conditions)
        expires = NOW + timedelta(seconds=dice.choice([-1, 1, 60, 60, 60, 60, 60, 60]))
        document: dict[str, Any] = {
            "expiration": f"{expires:%Y-%m-%dT%H:%M:%S}" + dice.choice(["Z", ".000Z", ".5Z"]),
            "conditions": conditions,
        }
        if dice.random() < 0.05:
            self._spoil(document)
        text = json.dumps(document, ensure_ascii=dice.random() < 0.5)
        # Two ways to write a dollar sign, one of them no JSON.
        return text.replace(ESCAPED, dice.choice(["\\$", "\\\\$"]))

    def _make_condition(self, fields: Form) -> Any:
        dice = self.dice
        operator = dice.choice(["eq", "eq", "map", "starts-with", "starts-with", "in", "not-in", "range"])
        if operator == "range":
            low = dice.randrange(0, 6)
            return ["content-length-range", low, low + dice.randrange(4, 12)]
        name = dice.choice(NAMES)
        value = self._choose(name, fields)
        spelt = dice.choice([name, name.lower(), name.title()])
        if operator == "map":
            return {spelt: value}
        spelt = dice.choice(["$", "$", "$", ""]) + spelt
        if operator == "starts-with":
            return [operator, spelt, value[: dice.randrange(0, 4)] if ESCAPED not in value else value]
        if operator == "eq":
            return [operator, spelt, value]
        return [operator, spelt, [value, *dice.sample(VALUES, dice.randrange(0, 3))]]

    def _choose(self, name: str, fields: Form) -> str:
        """Choose a value that the field has, mostly."""
        given = {key.lower(): value for key, value in fields.items()} | {"bucket": "test-bucket"}
        value = given.get(name.lower(), "")
        if self.dice.random() < 0.25 or name.lower() not in given:
            value = self.dice.choice(TYPES if name.lower() == "content-type" else VALUES)
        return value.replace("$", ESCAPED) if self.dice.random() < 0.5 else value

    def _spoil(self, document: dict[str, Any]) -> None:
        dice = self.dice
        wrong = [
            [],
            {},
            {"a": "b", "c": "d"},
            {"a": 1},
            "eq",
            ["eq", "$a"],
            ["eq", "$a", "b", "c"],
            ["eq", "$", "b"],
            ["EQ", "$a", "b"],
            ["in", "$a", "b"],
            ["not-in", "$a", [1]],
            ["starts-with", "$a", None],
            ["content-length-range", 3, 2],
            ["content-length-range", -1, 2],
            ["content-length-range", "1", 2],
            ["content-length-range", 1, True],
            ["content-length-range", 1.0, 2],
        ]
        place = dice.randrange(4)
        if place == 0:
            document["expiration"] = dice.choice(["", "soon", 5, None, "2030-13-01T00:00:00Z", "2030-01-01"])
        elif place == 1:
            document.pop(dice.choice(["expiration", "conditions"]))
        elif place == 2:
            document["conditions"] = dice.choice([[], {}, None, "x"])
        else:
            document["conditions"].insert(0, dice.choice(wrong))


class Malformed(ValueError):
    """The policy is none."""


def judge(text: str, fields: Form, part_type: str | None, file: bytes) -> str:
    """Tell what becomes of a form: the second reading, which shares nothing with the first."""
    try:
        document = json.loads(text.replace("\\\\$", "$").replace("\\$", "$"))
        expires = read_expiration(document["expiration"])
        rules = list(map(read_rule, demand(document["conditions"], list)))
    except (Malformed, KeyError, TypeError):
        return "InvalidPolicyDocument"
    if not rules:
        return "InvalidPolicyDocument"
    if expires < NOW:
        return "expired"
    given = {name.lower(): value for name, value in fields.items()}
    kind = given.get("x-oss-content-type") or part_type or given.get("content-type")
    given.pop("content-type", None)
    given |= {"bucket": "test-bucket"} | ({"content-type": kind} if kind else {})
    if not all(holds(given) for holds, _ in rules):
        return "condition"
    ranges = [bounds for _, bounds in rules if bounds]
    if any(len(file) > high for _, high in ranges):
        return "EntityTooLarge"
    return "EntityTooSmall" if any(len(file) < low for low, _ in ranges) else "stored"


def read_expiration(text: str) -> datetime:
    if not re.fullmatch(r"[0-9-]{10}T[0-9:]{8}(\.[0-9]+)?Z", text):
        raise Malformed
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed from error


def demand(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise Malformed
    return value


Rule = tuple[Callable[[Form], bool], tuple[int, int] | None]


def read_rule(item: Any) -> Rule:
    """Turn a condition into a test of the form, or a range of sizes."""
    if type(item) is dict:
        if len(item) != 1:
            raise Malformed
        item = ["eq", *next(iter(item.items()))]
    if len(demand(item, list)) != 3:
        raise Malformed
    operator, name, value = item
    if operator == "content-length-range":
        if demand(name, int) < 0 or demand(value, int) < name:
            raise Malformed
        return lambda _: True, (name, value)
    field = demand(name, str)[name.startswith("$") :].lower()
    if not field:
        raise Malformed
    if operator in ("in", "not-in"):
        listed = {demand(choice, str) for choice in demand(value, list)}
        return lambda form: (form.get(field) in listed) is (operator == "in"), None
    demand(value, str)
    if operator == "eq":
        return lambda form: form.get(field) == value, None
    if operator == "starts-with":
        return lambda form: field in form and form[field].startswith(value), None
    raise Malformed


def name_outcome(status: int, code: str, ec: str) -> str:
    if status < 400:
        return "stored"
    if code == "AccessDenied":
        return {"0006-00000213": "expired", "0006-00000227": "condition"}[ec]
    return code


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """A folder in memory where there is one: what is judged here is not the disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


def test_two_judges(
    start_emulator: Callable[..., Any], memory_folder: Path, form: Callable[..., bytes]
) -> None:
    """Both say the same of every pair; every outcome occurs often."""
    client = start_emulator(data_dir=memory_folder, now=lambda: NOW)
    maker = Maker(20260102)
    counts: Counter[str] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", client.emulator.port, timeout=30)
    headers = {"Content-Type": "multipart/form-data; boundary=BOUNDARY"}
    for number in range(PAIRS):
        fields, part_type, file = maker.make_form()
        if number % 2:
            signed = client.make_fields(policy="{}", now=NOW)
            own = [
                {name: signed[name]} for name in signed if re.match("x-oss-(sig.*version|cred|date)", name)
            ]
            text = maker.make_policy(fields, own)
            signed = client.make_fields(policy=text, now=NOW)
        else:
            text = maker.make_policy(fields, [])
            signed = client.make_fields_v1(text)
        body = form({**signed, **fields}, file, content_type=part_type)
        connection.request("POST", "/test-bucket", body, headers)
        answer = connection.getresponse()
        content = answer.read().decode()
        code = content.partition("<Code>")[2].partition("<")[0]
        outcome = name_outcome(answer.status, code, answer.headers.get("x-oss-ec", ""))
        expected = judge(text, {**{k: v for k, v in signed.items() if k != "key"}, **fields}, part_type, file)

        assert expected == outcome, (text, fields, part_type, file, content)
        counts[outcome] += 1
    connection.close()

    assert PAIRS == counts.total()
    assert {
        "stored",
        "condition",
        "expired",
        "InvalidPolicyDocument",
        "EntityTooLarge",
        "EntityTooSmall",
    } == set(counts)
    assert min(counts.values()) > PAIRS / 100, counts
