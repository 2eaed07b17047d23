"""Conditions: every operator, absent keys, several values, and what is not well-formed."""

from typing import Any

import pytest

from ossgate.emulator.sts.policy_conditions import ConditionRefused, parse_conditions

FACTS = {
    "acs:SourceIp": "10.1.2.3",
    "acs:SecureTransport": "false",
    "acs:CurrentTime": "2026-01-02T12:00:00Z",
    "acs:UserAgent": "aliyun-sdk-js/6.23.0",
    "oss:Prefix": "user/1/",
    "oss:Delimiter": "/",
    "x:Number": "12",
}
ANSWERS: list[tuple[str, str, Any, bool]] = [
    ("StringEquals", "oss:Prefix", "user/1/", True),
    ("StringEquals", "oss:Prefix", "USER/1/", False),
    ("StringEquals", "oss:Prefix", ["a", "user/1/"], True),
    ("StringNotEquals", "oss:Prefix", "a", True),
    ("StringNotEquals", "oss:Prefix", ["a", "user/1/"], False),
    ("StringEqualsIgnoreCase", "oss:Prefix", "USER/1/", True),
    ("StringNotEqualsIgnoreCase", "oss:Prefix", "USER/1/", False),
    ("StringLike", "oss:Prefix", "user/*", True),
    ("StringLike", "oss:Prefix", ["", "user/?/"], True),
    ("StringLike", "oss:Prefix", "other/*", False),
    ("StringNotLike", "oss:Prefix", "other/*", True),
    ("StringNotLike", "oss:Prefix", ["other/*", "user/*"], False),
    ("StringEquals", "oss:Prefix", "user/*", False),
    ("StringLike", "acs:UserAgent", "aliyun-sdk-js/*", True),
    ("StringEquals", "oss:Delimiter", "/", True),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", True),
    ("IpAddress", "acs:SourceIp", "10.1.2.3", True),
    ("IpAddress", "acs:SourceIp", "10.1.2.4", False),
    ("IpAddress", "acs:SourceIp", ["192.168.0.0/16", "10.1.0.0/16"], True),
    ("IpAddress", "acs:SourceIp", "::/0", False),
    ("IpAddress", "acs:SourceIp", "0.0.0.0/0", True),
    ("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", False),
    ("NotIpAddress", "acs:SourceIp", ["192.168.0.0/16", "172.16.0.0/12"], True),
    ("Bool", "acs:SecureTransport", "false", True),
    ("Bool", "acs:SecureTransport", False, True),
    ("Bool", "acs:SecureTransport", "true", False),
    ("DateLessThan", "acs:CurrentTime", "2026-01-02T12:00:01Z", True),
    ("DateLessThan", "acs:CurrentTime", "2026-01-02T12:00:00Z", False),
    ("DateLessThan", "acs:CurrentTime", "2026-01-02T20:00:01+08:00", True),
    ("DateLessThanEquals", "acs:CurrentTime", "2026-01-02T12:00:00Z", True),
    ("DateGreaterThan", "acs:CurrentTime", "2026-01-02", True),
    ("DateGreaterThanEquals", "acs:CurrentTime", "2026-01-02T20:00:00+08:00", True),
    ("DateEquals", "acs:CurrentTime", "2026-01-02T12:00Z", True),
    ("DateNotEquals", "acs:CurrentTime", "2026-01-02T12:00:00Z", False),
    ("NumericEquals", "x:Number", 12, True),
    ("NumericEquals", "x:Number", "12.0", True),
    ("NumericNotEquals", "x:Number", "12", False),
    ("NumericLessThan", "x:Number", "12.5", True),
    ("NumericLessThanEquals", "x:Number", "11", False),
    ("NumericGreaterThan", "x:Number", "-3", True),
    ("NumericGreaterThanEquals", "x:Number", "13", False),
    # The request has no such key, or no value that the operator can read.
    ("StringEquals", "acs:SourceVpc", "vpc-1", False),
    ("StringLike", "acs:SourceVpc", "*", False),
    ("StringNotEquals", "acs:SourceVpc", "vpc-1", True),
    ("StringNotLike", "acs:SourceVpc", "*", True),
    ("IpAddress", "oss:Prefix", "10.0.0.0/8", False),
    ("NotIpAddress", "oss:Prefix", "10.0.0.0/8", True),
    ("Bool", "oss:Prefix", "true", False),
    ("DateLessThan", "oss:Prefix", "2026-01-01", False),
    # Names of keys are compared with case.
    ("StringEquals", "oss:prefix", "user/1/", False),
]


@pytest.mark.parametrize(("operator", "key", "value", "expected"), ANSWERS)
def test_known_answers(operator: str, key: str, value: Any, expected: bool) -> None:
    """Each operator decides as documented, and as chosen where nothing is."""
    (condition,) = parse_conditions({operator: {key: value}})

    assert expected == condition.holds(FACTS)


def test_address_of_a_double_listener() -> None:
    """An IPv4 peer that shows as an IPv6 address is the IPv4 address."""
    (condition,) = parse_conditions({"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}})

    assert condition.holds({"acs:SourceIp": "::ffff:10.1.2.3"})


def test_every_key_becomes_a_condition() -> None:
    """Operators and keys are all kept: they must all hold."""
    found = parse_conditions(
        {
            "StringLike": {"oss:Prefix": "a/*", "oss:Delimiter": "/"},
            "Bool": {"acs:SecureTransport": "true"},
        }
    )

    assert [
        ("StringLike", "oss:Prefix"),
        ("StringLike", "oss:Delimiter"),
        ("Bool", "acs:SecureTransport"),
    ] == [(condition.operator, condition.key) for condition in found]


REFUSED: list[Any] = [
    [],
    "x",
    {"StringIs": {"oss:Prefix": "a"}},
    {"StringEqualsIfExists": {"oss:Prefix": "a"}},
    {"StringEquals": {}},
    {"StringEquals": "oss:Prefix"},
    {"StringEquals": {"Prefix": "a"}},
    {"StringEquals": {"": "a"}},
    {"StringEquals": {"oss:Prefix": []}},
    {"StringEquals": {"oss:Prefix": None}},
    {"StringEquals": {"oss:Prefix": {"a": "b"}}},
    {"StringEquals": {"oss:Prefix": [["a"]]}},
    {"Bool": {"acs:SecureTransport": "yes"}},
    {"Bool": {"acs:SecureTransport": 1}},
    {"IpAddress": {"acs:SourceIp": "10.0.0.0/33"}},
    {"IpAddress": {"acs:SourceIp": "localhost"}},
    {"IpAddress": {"acs:SourceIp": 7}},
    {"DateLessThan": {"acs:CurrentTime": "tomorrow"}},
    {"DateLessThan": {"acs:CurrentTime": "2026-13-01"}},
    {"DateLessThan": {"acs:CurrentTime": 1767355200}},
    {"NumericEquals": {"x:Number": "many"}},
    {"NumericEquals": {"x:Number": "1e999"}},
]


@pytest.mark.parametrize("document", REFUSED)
def test_refused(document: Any) -> None:
    """An element that is not well-formed is refused when the policy is given, not when it is used."""
    with pytest.raises(ConditionRefused):
        parse_conditions(document)
