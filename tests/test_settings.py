"""Settings: file, environment, secrets, and each check with its override."""

import re

import pytest

from ossgate.assembly import assemble
from ossgate.example_settings import EXAMPLE, DemoPlace, render_demo
from ossgate.key_files import new_key, write_secret
from ossgate.oss_credentials import ChainCredentials, FileCredentials
from ossgate.problems import SettingsInvalid
from ossgate.settings import load_settings

CREDENTIALS = {"OSS_ACCESS_KEY_ID": "an-id", "OSS_ACCESS_KEY_SECRET": "a-secret"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder as `ossgate init` leaves it, in an environment without a setting of ours."""
    monkeypatch.chdir(tmp_path)
    for name in ("ticket.key", "seal.key"):
        write_secret(tmp_path / "secrets" / name, new_key())
    (tmp_path / "ossgate.toml").write_text(EXAMPLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def edit(folder):
    """Change the settings file, each old text to its new one."""

    def change(*changes):
        path = folder / "ossgate.toml"
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")

    return change


def load(environ=CREDENTIALS):
    return load_settings(environ=environ)


def list_problems(environ=CREDENTIALS):
    """Return the problems of the settings here as (place, message and fix)."""
    with pytest.raises(SettingsInvalid) as caught:
        assemble(load(environ))
    return caught.value.describe()


def test_example_loads_as_init_writes_it(folder):
    """What `ossgate init` writes works once credentials are in the environment."""
    parts = assemble(load())

    assert list(parts.profiles) == ["photo"]
    assert parts.overridden == ()
    assert parts.bucket_origins == ("https://examplebucket.oss-cn-hangzhou.aliyuncs.com",)


def test_demo_settings_load_with_their_overrides(tmp_path):
    """The demo's own file works, and uses exactly the overrides that a demo needs."""
    secrets = tmp_path / "secrets"
    for name in ("ticket.key", "seal.key", "access-key-id", "access-key-secret"):
        write_secret(secrets / name, new_key())
    (tmp_path / "ossgate.toml").write_text(render_demo(DemoPlace(8000, 9000)))
    (secrets / "emulator-callback.pem").write_bytes(PEM)

    parts = assemble(load_settings(tmp_path / "ossgate.toml", {}))

    assert {"http_callback", "emulator_endpoint", "anonymous_without_quota"} == set(parts.overridden)


def test_load_without_a_file_says_one_thing(tmp_path, monkeypatch):
    """Where there are no settings at all, the answer is one problem and not a list of missing names."""
    monkeypatch.chdir(tmp_path)

    assert list_problems({}) == (
        "no settings: 1 problem\n"
        "  the file: there is no ossgate.toml here, and OSSGATE_CONFIG names no other\n"
        "      fix: write one with `ossgate init`; `ossgate demo` needs none"
    )


def test_load_a_named_file_that_is_not_there(folder):
    """A file that OSSGATE_CONFIG names must be there."""
    described = list_problems({"OSSGATE_CONFIG": "other.toml"})

    assert described.startswith(
        "other.toml: 1 problem\n  the file: cannot be read: no such file or directory"
    )


def test_load_what_is_not_toml_shows_the_line(edit):
    """A slip in the file is shown with its line."""
    edit(('max_size = "20MB"', "max_size = 20MB"))

    described = list_problems()

    assert "is not TOML" in described
    assert "look at 'max_size = 20MB'" in described


def test_all_wrong_values_are_told_at_once(edit):
    """Every wrong value of a file is told in one answer, each with line, value and fix."""
    edit(
        ('region = "cn-hangzhou"', 'regoin = "cn-hangzhou"'),
        ("# port = 8000", 'port = "eight"'),
        ('allow = ["api_key"]', 'allow = "api_key"'),
    )

    described = list_problems()

    assert described.startswith("ossgate.toml: 4 problems\n")
    assert re.search(r"line \d+, \[server\] port: is no whole number \(it is 'eight'\)", described)
    assert re.search(
        r"line \d+, \[oss\] regoin: is no setting .*\n      fix: did you mean region\?", described
    )
    assert re.search(r"line \d+, \[oss\] region: is missing", described)
    assert re.search(r"line \d+, \[profiles\.photo\] allow: is no list", described)


def test_wrong_values_do_not_hide_values_that_cannot_work(edit):
    """What is ill formed and what cannot work is told in one answer, though the one is found before the other."""
    edit(
        ("# port = 8000", 'port = "eight"'),
        ("# allow_insecure = []", 'allow_insecure = ["http_callback", "short_key"]'),
        ("https://uploads.example.com", "http://uploads.example.com"),
        ('max_size = "20MB"', 'max_size = "20QB"'),
        ("# workers = 1 ", "workers = 0 "),
    )

    described = list_problems()

    assert described.startswith("ossgate.toml: 4 problems\n")
    for words in ("'eight'", "short_keys", "'20QB' is no size", "[server] workers"):
        assert words in described


def test_all_values_that_cannot_work_are_told_at_once(edit):
    """Every value that is well formed and cannot work is told in one answer."""
    edit(
        ('bucket = "examplebucket"', 'bucket = "Example_Bucket"'),
        ('# url = "sqlite:///var/ossgate.sqlite3"', 'url = "mysql://x/y"'),
        ("{subject}/{date}", "{subjekt}/{date}"),
        ('max_size = "20MB"', 'max_size = "20 bananas"'),
        ('allow = ["api_key"]', 'allow = ["api_kee"]'),
        ('# handler = "myapp.uploads:arrived"', 'handler = "nobodys_module:arrived"'),
        ('etag = "{etag}"', 'etag = "{etagg}"'),
        ("# [access.api_keys.backend]", "[access.api_keys.backend]"),
        ('# hash = "sha256:…"', 'hash = "sha256:…"'),
    )

    described = list_problems()

    assert described.startswith("ossgate.toml: 8 problems\n")
    for words in (
        "[oss] bucket: 'Example_Bucket' is no bucket name",
        "[database] url: 'mysql'",
        "{subjekt}",
        "'20 bananas' is no size",
        "'api_kee' is no way to ask",
        "nobodys_module:arrived",
        "{etagg}",
        "[access.api_keys.backend] hash: is no hash",
    ):
        assert words in described


def test_credentials_that_are_missing_name_the_variables(folder):
    """Without credentials both variables are named."""
    described = list_problems({})

    assert "neither this nor the variable OSS_ACCESS_KEY_ID is set" in described
    assert "neither this nor the variable OSS_ACCESS_KEY_SECRET is set" in described


def test_secret_in_the_file_itself_is_refused_and_not_shown(edit):
    """A secret written into the file is refused without being repeated."""
    edit(('# access_key_secret = "env:OSS_ACCESS_KEY_SECRET"', 'access_key_secret = "LTAI-do-not-print"'))

    described = list_problems()

    assert "a secret is written as env:NAME or file:path" in described
    assert "LTAI" not in described


def test_secret_file_that_is_missing_names_its_path(folder):
    """A key file that is not there is named with its whole path."""
    (folder / "secrets" / "seal.key").unlink()

    assert f"cannot read {folder / 'secrets' / 'seal.key'}: No such file" in list_problems()


@pytest.mark.parametrize("name", ["ticket", "seal"])
def test_short_keys_are_refused_unless_overridden(folder, edit, name):
    """A key below 32 bytes is refused, and let pass by its override."""
    (folder / "secrets" / f"{name}.key").write_text("sixteen bytes !!")

    assert "below 32" in list_problems()

    edit(("# allow_insecure = []", 'allow_insecure = ["short_keys"]'))

    assert assemble(load()).overridden == ("short_keys",)


def test_secrets_that_others_can_read_are_refused_unless_overridden(folder, edit):
    """A key file that others may read is refused, and let pass by its override."""
    (folder / "secrets" / "ticket.key").chmod(0o644)

    assert "[keys] ticket: file:secrets/ticket.key can be read by others than its owner" in list_problems()

    edit(("# allow_insecure = []", 'allow_insecure = ["readable_secrets"]'))

    assemble(load())


@pytest.mark.parametrize(
    ("override", "changes", "words"),
    [
        ("http_callback", [("https://uploads.example.com", "http://uploads.example.com")], "without TLS"),
        (
            "wildcard_origin",
            [('# origins = ["https://www.example.com"]', 'origins = ["*"]')],
            "any page may call",
        ),
        (
            "anonymous_without_quota",
            [('allow = ["api_key"]', 'allow = ["anonymous"]')],
            "without a full quota",
        ),
        (
            "emulator_endpoint",
            [
                (
                    '# endpoint = "https://oss-cn-hangzhou-internal.aliyuncs.com"',
                    'endpoint = "http://127.0.0.1:9000"',
                )
            ],
            "is an emulator's",
        ),
        (
            "public_write",
            [('# object_acl = "default"', 'object_acl = "public-read-write"')],
            "anybody may overwrite and delete",
        ),
        (
            "unverified_bucket",
            [("# verify_bucket = true ", "verify_bucket = false ")],
            "believed without asking the bucket",
        ),
    ],
)
def test_insecure_settings_are_refused_unless_overridden(edit, override, changes, words):
    """Each insecure setting is refused, names its override, and passes with it; the override is told at start."""
    edit(*changes)

    described = list_problems()

    assert words in described
    assert f"or add {override} to allow_insecure" in described

    edit(("# allow_insecure = []", f'allow_insecure = ["{override}"]'))

    assert assemble(load()).overridden == (override,)


def test_override_that_does_not_exist_is_refused(edit):
    """A misspelt override switches nothing off."""
    edit(("# allow_insecure = []", 'allow_insecure = ["short_key"]'))

    assert "allow_insecure" in list_problems()


def test_environment_wins_over_the_file(edit, monkeypatch):
    """A variable outranks the file, also within a profile and for a list."""
    edit(("# port = 8000", "port = 8001"))
    monkeypatch.setenv("OSSGATE_SERVER__PORT", "8002")
    monkeypatch.setenv("OSSGATE_PROFILES__PHOTO__MAX_SIZE", "3MB")
    monkeypatch.setenv("OSSGATE_CALLBACK__URL", '["https://other.example.com/callback"]')

    settings = load().settings

    assert settings.server.port == 8002
    assert settings.profiles["photo"].max_size == "3MB"
    assert settings.callback.url == ("https://other.example.com/callback",)


def test_wrong_value_of_the_environment_names_the_variable(folder, monkeypatch):
    """What is wrong in a variable is not looked for in the file, and a list that is no JSON is no crash."""
    monkeypatch.setenv("OSSGATE_SERVER__PORT", "eight")
    monkeypatch.setenv("OSSGATE_CALLBACK__URL", "https://other.example.com/callback")

    described = list_problems({**CREDENTIALS, "OSSGATE_SERVER__PORT": "", "OSSGATE_CALLBACK__URL": ""})

    assert "the variable OSSGATE_SERVER__PORT: is no whole number (it is 'eight')" in described
    assert "the variable OSSGATE_CALLBACK__URL: is no list" in described


def test_misspelt_section_of_the_environment_is_refused(folder):
    """A variable that means to be a setting and is none is told, and others of ours are left alone."""
    described = list_problems({**CREDENTIALS, "OSSGATE_SEVER__PORT": "1", "OSSGATE_MY_TICKET_KEY": "x"})

    assert described == (
        "ossgate.toml: 1 problem\n"
        "  the variable OSSGATE_SEVER__PORT: there is no section sever\n"
        "      fix: did you mean server?"
    )


def test_paths_are_taken_from_the_folder_of_the_file(folder, monkeypatch, tmp_path_factory):
    """Secrets and the database stand beside the file, wherever the server is started."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    loaded = load({**CREDENTIALS, "OSSGATE_CONFIG": str(folder / "ossgate.toml")})
    assemble(loaded)

    assert loaded.resolve_path("var/ossgate.sqlite3") == folder / "var" / "ossgate.sqlite3"


def test_settings_are_frozen(folder):
    """Nobody changes settings once they are loaded."""
    settings = load().settings

    with pytest.raises(ValueError, match="frozen"):
        settings.server = None


PEM = b"""\
-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs
C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==
-----END PUBLIC KEY-----
"""


def test_keys_in_files_are_read_again(folder, edit):
    """An AccessKey that is written anew is used without a restart."""
    for name, text in (("id", "an-id"), ("secret", "a-secret")):
        write_secret(folder / "secrets" / name, text)
    edit(
        ('# access_key_id = "env:OSS_ACCESS_KEY_ID"', 'access_key_id = "file:secrets/id"'),
        ('# access_key_secret = "env:OSS_ACCESS_KEY_SECRET"', 'access_key_secret = "file:secrets/secret"'),
    )
    credentials = assemble(load({})).credentials

    assert isinstance(credentials, FileCredentials)
    assert ("an-id", "a-secret") == (credentials().access_key_id, credentials().access_key_secret)


def test_provider_chain_is_a_choice_that_needs_its_library(folder, edit, monkeypatch):
    """Named, it asks nobody at start; without its library, or beside keys, that is told."""
    edit(('# credentials = "keys"  ', 'credentials = "chain"  '))
    assert isinstance(assemble(load({})).credentials, ChainCredentials)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    edit(('# access_key_id = "env:OSS_ACCESS_KEY_ID"', 'access_key_id = "env:OSS_ACCESS_KEY_ID"'))
    told = list_problems()
    assert "ossgate[credentials]" in told
    assert "leave one of them out" in told


def test_role_of_temporary_credentials(folder, edit):
    """Without a table there is none; with one, the region's own STS is asked."""
    assert assemble(load()).role is None
    edit(
        ("# [oss.sts] ", "[oss.sts] "),
        (
            '# role_arn = "acs:ram::1234567890123456:role/uploader"',
            'role_arn = "acs:ram::1234567890123456:role/uploader"',
        ),
    )
    role = assemble(load()).role

    assert ("https://sts.cn-hangzhou.aliyuncs.com", "ossgate", 3600) == (
        role.endpoint, role.session_name, role.duration,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("role_arn", '"uploader"', "is no role"),
        ("session_name", '"a b"', "is no session name"),
        ("endpoint", '"sts.aliyuncs.com"', "is no address of STS"),
        ("endpoint", '"http://127.0.0.1:9000"', "is an emulator's"),
        ("duration", "60", "900"),
    ],
)
def test_role_that_cannot_be(folder, edit, name, value, told):
    """Each with its place and the fix."""
    settings = {"role_arn": '"acs:ram::1234567890123456:role/uploader"'} | {name: value}
    table = "".join(f"{key} = {written}\n" for key, written in settings.items())
    edit(("[callback]\n", f"[oss.sts]\n{table}\n[callback]\n"))

    assert told in list_problems()


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("via = []", "no way of upload"),
        ('via = ["ftp"]', "via"),
        ('max_size = "6GB"\nvia = ["post"]', "only be sent in parts"),
        ('max_size = "49TB"', "48.8 TB"),
        ('via = ["sts"]\nkey_prefix = "photos"', "does not end in a slash"),
        ('via = ["sts"]\nobject_acl = "private"', "ACL"),
        ('via = ["sts"]\nobject_key = "a*/{upload_id}"', "session policy"),
    ],
)
def test_ways_of_upload_that_cannot_be(folder, edit, lines, told):
    """What a profile promises by its ways is checked when it is loaded."""
    for line in lines.splitlines():
        name = line.partition(" ")[0]
        text = (folder / "ossgate.toml").read_text()
        present = re.search(rf"^(# )?{name} = .*$", text[text.index("[profiles.photo]") :], re.MULTILINE)
        edit((present[0], line))

    assert told in list_problems()
