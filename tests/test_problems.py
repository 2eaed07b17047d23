"""How wrong settings are told."""

import pytest
from pydantic import ValidationError

from ossgate.problems import Problem, SettingsInvalid, find_line, find_variable, format_location
from ossgate.settings import Settings
from ossgate.validation_problems import list_names, translate_errors

TEXT = """\
allow_insecure = []

[server]
port = 8000  # the usual one

[profiles."my.photo"]
max_size = "20MB"
quota = { bytes = "1GB" }

[profiles.file.quota]
bytes = "2GB"
"""


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("allow_insecure",), 1),
        (("server", "port"), 4),
        (("profiles", "my.photo", "max_size"), 7),
        (("profiles", "my.photo", "min_size"), 6),
        (("profiles", "my.photo", "quota", "bytes"), 8),
        (("profiles", "file", "quota", "bytes"), 11),
        (("oss", "bucket"), None),
        ((), None),
    ],
)
def test_find_line_of_a_value_or_of_its_table(location, line):
    """A value is found on its line, one that is not there on that of its table."""
    assert line == find_line(TEXT, location)


def test_find_variable_takes_either_case():
    """A variable is found as pydantic finds it, in capitals or not."""
    names = {"OSSGATE_SERVER__PORT", "ossgate_oss__bucket"}

    assert find_variable(names, ("server", "port")) == "OSSGATE_SERVER__PORT"
    assert find_variable(names, ("oss", "bucket")) == "ossgate_oss__bucket"
    assert find_variable(names, ("server", "host")) is None
    assert find_variable(names, ()) is None


def test_format_location_is_written_as_in_the_file():
    """A location reads as the file writes it."""
    assert format_location(("profiles", "photo", "max_size")) == "[profiles.photo] max_size"
    assert format_location(("allow_insecure",)) == "allow_insecure"
    assert format_location(()) == "the file"


def test_describe_names_all_problems_in_the_order_of_the_file():
    """Problems come with line, message and fix, first that of the environment, then down the file."""
    problems = [
        Problem(("profiles", "my.photo", "max_size"), "is no size", "write 20MB"),
        Problem(("server", "port"), "is no whole number"),
        Problem(("server", "host"), "is wrong"),
    ]

    described = SettingsInvalid(
        problems, source="ossgate.toml", text=TEXT, variables=["OSSGATE_SERVER__HOST"]
    ).describe()

    assert described == (
        "ossgate.toml: 3 problems\n"
        "  the variable OSSGATE_SERVER__HOST: is wrong\n"
        "  line 4, [server] port: is no whole number\n"
        "  line 7, [profiles.my.photo] max_size: is no size\n"
        "      fix: write 20MB"
    )


def translate(**data):
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(
            {
                "oss": {"region": "r", "bucket": "b"},
                "callback": {"url": ["u"]},
                "keys": {"ticket": ["t"], "seal": ["s"]},
            }
            | {"profiles": {"photo": {"allow": ["api_key"]}}}
            | data
        )
    return translate_errors(caught.value.errors(include_url=False), Settings)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            {"server": {"port": "eight"}},
            Problem(
                ("server", "port"),
                "is no whole number (it is 'eight')",
                "write a whole number, without quotes",
            ),
        ),
        (
            {"profiles": {"photo": {"allow": "api_key"}}},
            Problem(
                ("profiles", "photo", "allow"),
                "is no list (it is 'api_key')",
                'write a list, such as ["…"]; in the environment as JSON',
            ),
        ),
        (
            {"profiles": {"photo": {"allow": ["api_key"], "max_size": 1.5}}},
            Problem(
                ("profiles", "photo", "max_size"),
                "is neither text nor a number (it is '1.5')",
                "write text in quotes, or a whole number",
            ),
        ),
        (
            {"profiles": {"photo": {"allow": ["api_key"], "max_sise": "1MB"}}},
            Problem(("profiles", "photo", "max_sise"), "is no setting of ossgate", "did you mean max_size?"),
        ),
        (
            {"profiles": {"photo": {"allow": ["api_key"], "quota": {"byte": 1}}}},
            Problem(
                ("profiles", "photo", "quota", "byte"), "is no setting of ossgate", "did you mean bytes?"
            ),
        ),
        ({"sever": {}}, Problem(("sever",), "is no setting of ossgate", "did you mean server?")),
    ],
)
def test_translate_errors_says_value_and_fix(data, problem):
    """Each kind of wrong value becomes one problem, with the value and the fix in words of the file."""
    assert [problem] == translate(**data)


def test_translate_errors_shows_little_of_a_long_value():
    """A problem never quotes more than a short piece of what was written."""
    (problem,) = translate(server={"port": "x" * 5000})

    assert len(problem.message) < 120


def test_list_names_knows_tables_within_tables():
    """The names of a table are found through a user's own names and through tables that may be left out."""
    assert "max_size" in list_names(Settings, ("profiles", "photo"))
    assert "pending_uploads" in list_names(Settings, ("profiles", "photo", "quota"))
    assert "choices" in list_names(Settings, ("profiles", "photo", "variables", "album"))
    assert list_names(Settings, ("profiles",)) == []
    assert list_names(Settings, ("nothing", "here")) == []
