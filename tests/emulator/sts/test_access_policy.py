"""Policies: documented examples, grammar, and agreement with a second evaluator."""

import fnmatch
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossgate.emulator.sts.access_policy import Decision, PolicyGrammarError, Resource, parse_policy

ACCOUNT = "1234567890123456"
ALLOW, EXPLICIT, IMPLICIT = Decision.ALLOW, Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY


def at(path: str, *, account: str = ACCOUNT) -> Resource:
    return Resource("oss", ("oss-cn-hangzhou", "cn-hangzhou"), account, path)


def write(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)})


def statement(effect: str = "Allow", **members: Any) -> dict[str, Any]:
    found = {"Effect": effect, **members}
    if not {"Action", "NotAction"} & set(members):
        found["Action"] = "oss:*"
    if not {"Resource", "NotResource"} & set(members):
        found["Resource"] = "acs:oss:*:*:*"
    return found


def decide(policy: str, action: str, path: str, **facts: str) -> Decision:
    return parse_policy(policy).decide(
        action, at(path), {name.replace("_", ":"): value for name, value in facts.items()}
    )


# The policy of the page on directories: list one folder, read what is in it.
FOLDER = write(
    statement(Action=["oss:GetObject"], Resource=["acs:oss:*:*:myphotos/hangzhou/2015/*"]),
    statement(
        Action=["oss:ListObjects"],
        Resource=["acs:oss:*:*:myphotos"],
        Condition={"StringLike": {"oss:Prefix": "hangzhou/2015/*"}},
    ),
)
DOCUMENTED = [
    ("oss:GetObject", "myphotos/hangzhou/2015/a.jpg", "", ALLOW),
    ("oss:GetObject", "myphotos/hangzhou/2015/", "", ALLOW),
    ("oss:GetObject", "myphotos/hangzhou/2016/a.jpg", "", IMPLICIT),
    ("oss:PutObject", "myphotos/hangzhou/2015/a.jpg", "", IMPLICIT),
    ("oss:ListObjects", "myphotos", "hangzhou/2015/", ALLOW),
    ("oss:ListObjects", "myphotos", "hangzhou/2015/x", ALLOW),
    ("oss:ListObjects", "myphotos", "hangzhou/", IMPLICIT),
    ("oss:ListObjects", "myphotos", "", IMPLICIT),
    ("oss:ListObjects", "otherphotos", "hangzhou/2015/", IMPLICIT),
]


@pytest.mark.parametrize(("action", "path", "prefix", "expected"), DOCUMENTED)
def test_documented_folder_policy(action: str, path: str, prefix: str, expected: Decision) -> None:
    """The documentation's policy for one folder allows what it says and nothing else."""
    assert expected is decide(FOLDER, action, path, oss_Prefix=prefix)


ANSWERS: list[tuple[str, str, str, Decision]] = [
    (write(statement()), "oss:PutObject", "b/k", ALLOW),
    (write(statement(Action="*", Resource="*")), "oss:PutObject", "b/k", ALLOW),
    (write(statement(Action="oss:Put*")), "oss:PutObject", "b/k", ALLOW),
    (write(statement(Action="oss:Put*")), "oss:GetObject", "b/k", IMPLICIT),
    (write(statement(Action="oss:P?tObject")), "oss:PutObject", "b/k", ALLOW),
    (write(statement(Action="OSS:putobject")), "oss:PutObject", "b/k", ALLOW),
    (write(statement(Action="*:PutObject")), "oss:PutObject", "b/k", ALLOW),
    (write(statement(Action="ecs:*")), "oss:PutObject", "b/k", IMPLICIT),
    (write(statement(), statement("Deny", Action="oss:PutObject")), "oss:PutObject", "b/k", EXPLICIT),
    (write(statement("Deny", Action="oss:PutObject"), statement()), "oss:PutObject", "b/k", EXPLICIT),
    (write(statement(), statement("Deny", Action="oss:PutObject")), "oss:GetObject", "b/k", ALLOW),
    (write(statement("Deny", Action="oss:PutObject")), "oss:GetObject", "b/k", IMPLICIT),
    (write(statement(NotAction="oss:Delete*")), "oss:PutObject", "b/k", ALLOW),
    (write(statement(NotAction=["oss:Delete*"])), "oss:DeleteObject", "b/k", IMPLICIT),
    (write(statement(NotResource="acs:oss:*:*:b/private/*")), "oss:GetObject", "b/k", ALLOW),
    (write(statement(NotResource="acs:oss:*:*:b/private/*")), "oss:GetObject", "b/private/k", IMPLICIT),
    (write(statement(Resource="acs:oss:*:*:b/*")), "oss:GetObject", "b/a/b/c", ALLOW),
    (write(statement(Resource="acs:oss:*:*:b/*")), "oss:GetObject", "b", IMPLICIT),
    (write(statement(Resource="acs:oss:*:*:b")), "oss:ListObjects", "b", ALLOW),
    (write(statement(Resource="acs:oss:*:*:b*")), "oss:GetObject", "bb/k", ALLOW),
    (write(statement(Resource="acs:oss:*:*:b/?.txt")), "oss:GetObject", "b/a.txt", ALLOW),
    (write(statement(Resource="acs:oss:*:*:b/?.txt")), "oss:GetObject", "b/ab.txt", IMPLICIT),
    (write(statement(Resource="acs:oss:*:*:b/文 件/*")), "oss:GetObject", "b/文 件/1", ALLOW),
    (write(statement(Resource="acs:oss:*:*:B/k")), "oss:GetObject", "b/k", IMPLICIT),
    (write(statement(Resource="acs:oss:cn-hangzhou:*:b/k")), "oss:GetObject", "b/k", ALLOW),
    (write(statement(Resource="acs:oss:oss-cn-hangzhou:*:b/k")), "oss:GetObject", "b/k", ALLOW),
    (write(statement(Resource="acs:oss:oss-cn-beijing:*:b/k")), "oss:GetObject", "b/k", IMPLICIT),
    (write(statement(Resource=f"acs:oss:*:{ACCOUNT}:b/k")), "oss:GetObject", "b/k", ALLOW),
    (write(statement(Resource="acs:oss:*:42:b/k")), "oss:GetObject", "b/k", IMPLICIT),
    (write(statement(Resource="acs:*:*:*:b/k")), "oss:GetObject", "b/k", ALLOW),
    (write(statement(Resource="acs:ecs:*:*:b/k")), "oss:GetObject", "b/k", IMPLICIT),
    # A star does not reach into the next part: the key below is not in bucket b.
    (write(statement(Resource="acs:oss:*:42:b/k")), "oss:GetObject", "other/x:42:b/k", IMPLICIT),
    (write(statement(Resource="acs:oss:*:*:b/a:b")), "oss:GetObject", "b/a:b", ALLOW),
]


@pytest.mark.parametrize(("policy", "action", "path", "expected"), ANSWERS)
def test_known_answers(policy: str, action: str, path: str, expected: Decision) -> None:
    """Effects, wildcards, negations and the parts of resource names."""
    assert expected is decide(policy, action, path)


def test_conditions_must_all_hold() -> None:
    """Several keys and operators of one statement are all demanded."""
    policy = write(
        statement(
            Condition={
                "IpAddress": {"acs:SourceIp": "10.0.0.0/8"},
                "StringLike": {"acs:UserAgent": "app/*", "oss:Prefix": "a*"},
            }
        )
    )
    facts = {"acs_SourceIp": "10.1.1.1", "acs_UserAgent": "app/1", "oss_Prefix": "ab"}

    assert ALLOW is decide(policy, "oss:ListObjects", "b", **facts)
    for name, value in {"acs_SourceIp": "1.1.1.1", "acs_UserAgent": "x", "oss_Prefix": "b"}.items():
        assert IMPLICIT is decide(policy, "oss:ListObjects", "b", **{**facts, name: value})


REFUSED: list[Any] = [
    "",
    "null",
    "[]",
    '"text"',
    "{",
    "[" * 2000,
    '{"Version": NaN, "Statement": []}',
    {},
    {"Version": "1"},
    {"Statement": [statement()]},
    {"Version": "1", "Statements": [statement()]},
    {"Version": "2012-10-17", "Statement": [statement()]},
    {"Version": 1, "Statement": [statement()]},
    {"Version": "1", "Statement": []},
    {"Version": "1", "Statement": statement()},
    {"Version": "1", "Statement": ["x"]},
    {"Version": "1", "Statement": [statement()], "Id": "x"},
    write(statement("allow")),
    write({"Action": "*", "Resource": "*"}),
    write(statement(Principal="*")),
    write(statement(Sid="x")),
    write({"Effect": "Allow", "Resource": "*"}),
    write({"Effect": "Allow", "Action": "*"}),
    write(statement(Action="*", NotAction="*")),
    write(statement(Resource="*", NotResource="*")),
    write(statement(Action=[])),
    write(statement(Action=None)),
    write(statement(Action=["oss:*", 1])),
    write(statement(Action="PutObject")),
    write(statement(Action="oss:Put Object")),
    write(statement(Action="oss:")),
    write(statement(Resource="b/k")),
    write(statement(Resource="arn:aws:s3:::b/k")),
    write(statement(Resource="acs:oss:*:b/k")),
    write(statement(Resource="acs:oss:*:*:")),
    write(statement(Resource="acs::*:*:b")),
    write(statement(Resource="acs:oss:oss-cn-hangzhou.aliyuncs.com:b/k")),
    write(statement(Condition=[])),
    write(statement(Condition={"StringIs": {"oss:Prefix": "a"}})),
    '{"Version":"1","Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    '{"Version":"1","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}',
]


@pytest.mark.parametrize("document", REFUSED)
def test_grammar_refused(document: Any) -> None:
    """What is no policy is refused, whatever is wrong with it."""
    with pytest.raises(PolicyGrammarError):
        parse_policy(document if isinstance(document, str) else json.dumps(document))


@given(st.text(max_size=200) | st.recursive(st.none() | st.text(max_size=8), st.lists).map(json.dumps))
def test_garbage_is_refused(text: str) -> None:
    """Garbage ends in one error."""
    with pytest.raises(PolicyGrammarError):
        parse_policy(text)


# The second evaluator: another reading of the same pages, by other means.


def covers(pattern: str, text: str) -> bool:
    escaped = pattern.replace("[", "[[]")
    return re.match(fnmatch.translate(escaped), text) is not None


def judge_again(document: dict[str, Any], action: str, arn: str, facts: dict[str, str]) -> str:
    said = {"Deny": False, "Allow": False}
    for one in document["Statement"]:
        actions = one.get("Action") or one.get("NotAction")
        actions = [actions] if isinstance(actions, str) else actions
        hit = len([p for p in actions if covers(p.casefold(), action.casefold())]) > 0
        if "NotAction" in one:
            hit = not hit
        names = one.get("Resource") or one.get("NotResource")
        names = [names] if isinstance(names, str) else names
        inside = False
        for pattern in names:
            left, right = pattern.split(":", 4), arn.split(":", 4)
            inside = inside or pattern == "*" or all(covers(a, b) for a, b in zip(left, right, strict=True))
        if "NotResource" in one:
            inside = not inside
        fits = True
        for operator, keys in one.get("Condition", {}).items():
            for key, values in keys.items():
                values = [values] if isinstance(values, str) else values
                test = {"Like": covers, "Equals": lambda p, t: p == t}[
                    operator.removeprefix("String").replace("Not", "")
                ]
                met = key in facts and len([v for v in values if test(v, facts[key])]) > 0
                fits = fits and (not met if "Not" in operator else met)
        if hit and inside and fits:
            said[one["Effect"]] = True
    if said["Deny"]:
        return "ExplicitDeny"
    return "Allow" if said["Allow"] else "ImplicitDeny"


def one_or_more(values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


ACTIONS = ["oss:PutObject", "oss:GetObject", "oss:ListObjects", "oss:DeleteObject"]
action_patterns = st.sampled_from(
    [*ACTIONS, "*", "oss:*", "oss:Put*", "OSS:get?bject", "oss:*Object*", "ecs:*"]
)
paths = st.lists(st.sampled_from(["a", "b", "/", ":", "文"]), min_size=1, max_size=4).map("".join)
path_patterns = st.sampled_from(["*", "?*", "*a*", "a*"]) | st.lists(
    st.sampled_from(["a", "b", "/", ":", "*", "?", "文"]), min_size=1, max_size=6
).map("".join)
resource_patterns = st.just("*") | st.builds(
    "acs:{}:{}:{}:{}".format,
    st.sampled_from(["oss", "*", "ecs"]),
    st.sampled_from(["*", "cn-hangzhou", "cn-*", "cn-beijing", "?n-beijing"]),
    st.sampled_from(["*", ACCOUNT, "42", "1*", "?2*"]),
    path_patterns,
)
conditions = st.dictionaries(
    st.sampled_from(["StringLike", "StringNotLike", "StringEquals", "StringNotEquals"]),
    st.dictionaries(
        st.sampled_from(["oss:Prefix", "oss:Delimiter", "acs:UserAgent"]),
        one_or_more(path_patterns),
        min_size=1,
        max_size=2,
    ),
    max_size=2,
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    found[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(one_or_more(action_patterns))
    found[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(
        one_or_more(resource_patterns)
    )
    if draw(st.booleans()):
        found["Condition"] = draw(conditions)
    return found


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(statements(), min_size=1, max_size=4),
    st.sampled_from(ACTIONS),
    paths,
    st.dictionaries(st.sampled_from(["oss:Prefix", "oss:Delimiter", "acs:UserAgent"]), paths),
)
def test_two_evaluators_agree(
    found: list[dict[str, Any]], action: str, path: str, facts: dict[str, str]
) -> None:
    """Any policy is judged the same by the emulator and by the reading above."""
    document = {"Version": "1", "Statement": found}
    resource = Resource("oss", ("cn-hangzhou",), ACCOUNT, path)
    decision = parse_policy(json.dumps(document)).decide(action, resource, facts)

    assert judge_again(document, action, f"acs:oss:cn-hangzhou:{ACCOUNT}:{path}", facts) == decision.value
