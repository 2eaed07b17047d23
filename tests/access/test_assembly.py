"""`[access]`, `[limits]` and origins become the gate; what cannot work stops the start, all problems at once."""

import json
import subprocess
import sys

import pytest
from joserfc.jwk import RSAKey

from ossgate.assembly import assemble
from ossgate.example_settings import EXAMPLE
from ossgate.key_files import new_key, write_secret
from ossgate.problems import SettingsInvalid
from ossgate.settings import load_settings

CREDENTIALS = {"OSS_ACCESS_KEY_ID": "an-id", "OSS_ACCESS_KEY_SECRET": "a-secret"}
SECRETS = {"S": "s" * 64, "SHORT": "s" * 31, "TINY": "dev"}


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the example with tables added before its profile, and assemble it."""
    for name in ("ticket.key", "seal.key"):
        write_secret(tmp_path / "secrets" / name, new_key())

    def make(added="", *, profile="", environ=None):
        text = EXAMPLE.replace("[profiles.photo]", added + "\n[profiles.photo]\n" + profile, 1)
        (tmp_path / "ossgate.toml").write_text(text, encoding="utf-8")
        for name, value in (CREDENTIALS | SECRETS | (environ or {})).items():
            monkeypatch.setenv(name, value)
        return assemble(load_settings(tmp_path / "ossgate.toml"))

    return make


@pytest.fixture
def problems(load):
    """Return what the start says of tables that cannot work."""

    def tell(added, **options):
        with pytest.raises(SettingsInvalid) as invalid:
            load(added, **options)
        return str(invalid.value)

    return tell


JWT = '[access.jwt]\naudience = "uploads"\n'
JWKS = JWT + 'jwks_url = "https://login.example/jwks"\n'


@pytest.mark.parametrize(
    ("added", "words"),
    [
        (JWKS + 'algorithms = ["none"]', "'none' is no algorithm"),
        (JWKS + 'algorithms = ["RS256", "HS256"]', "'HS256' cannot go with jwks_url"),
        (JWKS + 'algorithms = "rs256"', "'rs256' is no algorithm"),
        (JWKS + "algorithms = []", "algorithms: is empty"),
        (JWKS, "algorithms: is missing"),
        (JWT + 'public_key = "env:S"\nalgorithms = ["HS256"]', "'HS256' cannot go with public_key"),
        (JWT + 'public_key = "env:S"\nalgorithms = ["RS256"]', "no RSA, EC or Ed25519 public key"),
        (JWT + 'public_key = "file:nosuch.pem"\nalgorithms = ["RS256"]', "cannot read"),
        (JWT + 'secret = "env:S"\nalgorithms = ["RS256"]', "'RS256' cannot go with secret"),
        (JWT + 'secret = "env:SHORT"\nalgorithms = ["HS256"]', "HS256 needs a secret of at least 32 bytes"),
        (JWT + 'secret = "hunter2hunter2"\nalgorithms = ["HS256"]', "env:NAME or file:path"),
        (JWT + 'algorithms = ["RS256"]', "has no key"),
        (JWKS + 'secret = "env:S"\nalgorithms = ["RS256"]', "has jwks_url and secret"),
        (JWKS.replace("https:", "http:") + 'algorithms = ["RS256"]', "add http_jwks to allow_insecure"),
        (JWKS.replace("https:", "ftp:") + 'algorithms = ["RS256"]', "is no URL of a key set"),
        (JWKS.replace('audience = "uploads"\n', "") + 'algorithms = ["RS256"]', "add jwt_without_audience to allow_insecure"),
        (JWKS + 'algorithms = ["RS256"]\noperator_claim = "roles"', "only together with operator_value"),
        (JWKS + 'algorithms = ["RS256"]\nleeway = 601', "leeway"),
        ('[access.proxy]\nheader = "X-User"', "from: is missing"),
        ('[access.proxy]\nheader = "X-User"\nfrom = []', "from: is empty"),
        ('[access.proxy]\nheader = "X-User"\nfrom = ["10.0.0.300"]', "from: '10.0.0.300'"),
        ('[access.proxy]\nheader = "X-User"\nfrom = ["0.0.0.0/0"]', "every address there is"),
        ('[access.proxy]\nheader = "X User"\nfrom = ["10.0.0.1"]', "header: 'X User' cannot be the header"),
        ('[access.proxy]\nheader = "X-User"\nform = ["10.0.0.1"]', "did you mean from?"),
        ('[access.session]\nsecret = "env:TINY"', "add short_keys to allow_insecure"),
        ('[access.session]\nsecret = "env:NOSUCH"', "NOSUCH is not set"),
        ('[access.session]\nsecret = "env:S"\ncookie = "a b"', "is no cookie's name"),
        ('[access.api_keys."a b"]\nhash = "sha256:x"', "cannot name a key"),
        ('[limits]\nissue = "lots"', "issue: 'lots' is no rate"),
        ('[limits]\nstorage = "memcached://x"', "no place where rates can be counted"),
        ('[limits]\nstorage = "redis://"', "names no host"),
        ('[limits]\nper = ["everybody"]', "per"),
    ],
    ids=lambda value: value.replace("\n", " ")[-50:],
)  # fmt: skip
def test_what_cannot_work_stops_the_start(problems, added, words):
    """Each mistake is told with its line and the fix."""
    told = problems(added)

    assert words in told
    assert "line " in told
    assert "fix:" in told or "Error" not in told


def test_all_problems_are_told_at_once(problems):
    """Whoever sets up four things wrong reads four problems."""
    told = problems(
        JWT + 'secret = "env:SHORT"\nalgorithms = ["HS256"]\n'
        '[access.proxy]\nheader = "X-User"\nfrom = ["x"]\n'
        '[access.session]\nsecret = "env:NOSUCH"\n'
        '[limits]\nissue = "lots"\nconfirm = "few"\n',
        profile='origins = ["https://a.example/"]',
    )

    assert "6 problems" in told
    assert "[profiles.photo] origins: 'https://a.example/' is no origin" in told


def test_a_profile_names_ways_that_are_set_up(problems):
    """A profile for tokens needs tokens."""
    environ = {"OSSGATE_PROFILES__PHOTO__ALLOW": '["jwt", "proxy", "session", "bearer"]'}
    told = problems("", environ=environ)

    assert "3 problems" in told
    assert "set up [access.jwt], or take it out" in told


def test_a_name_in_both_places_is_one_too_many(problems, tmp_path):
    """A key of the settings and one of the file cannot share a name."""
    (tmp_path / "secrets" / "api-keys.toml").write_text(f'[shop]\nhash = "sha256:{"0" * 64}"\n')
    told = problems(f'[access.api_keys.shop]\nhash = "sha256:{"1" * 64}"\n')

    assert "ossgate keys revoke shop" in told


def test_a_broken_key_file_stops_the_start(problems, tmp_path):
    """What the commands wrote and somebody broke is told like a setting."""
    (tmp_path / "secrets" / "api-keys.toml").write_text("[shop]\n")

    assert "[shop] is no API key" in problems("[access]\n")


def test_a_key_file_that_others_may_write_is_not_believed(problems, load, tmp_path):
    """Whoever may write it can make keys; the override that lets it pass is told at start."""
    file = tmp_path / "secrets" / "api-keys.toml"
    file.write_text(f'[shop]\nhash = "sha256:{"0" * 64}"\n')
    file.chmod(0o660)

    told = problems("[access]\n")
    assert "can be written by others than its owner" in told
    assert "chmod 600 the file, or add readable_secrets to allow_insecure" in told
    lax = {"OSSGATE_ALLOW_INSECURE": json.dumps(["readable_secrets"])}
    assert ("readable_secrets",) == load("[access]\n", environ=lax).overridden


def test_secrets_that_others_read_are_told_at_start(problems, load, tmp_path):
    """What the override lets pass is told; where it lets nothing pass, it is not."""
    key = tmp_path / "secrets" / "ticket.key"
    key.chmod(0o640)
    assert "can be read by others" in problems("[access]\n")

    lax = {"OSSGATE_ALLOW_INSECURE": json.dumps(["readable_secrets"])}
    assert ("readable_secrets",) == load("[access]\n", environ=lax).overridden
    key.chmod(0o600)
    assert () == load("[access]\n", environ=lax).overridden


def test_overrides_are_logged(load):
    """What is switched off is named at start."""
    parts = load(
        JWKS.replace("https:", "http:").replace('audience = "uploads"\n', "") + 'algorithms = "RS256"\n'
        '[access.session]\nsecret = "env:TINY"\n',
        environ={"OSSGATE_ALLOW_INSECURE": json.dumps(["http_jwks", "jwt_without_audience", "short_keys"])},
    )

    assert {"http_jwks", "jwt_without_audience", "short_keys"} == set(parts.overridden)


def test_a_public_key_file_works(load, tmp_path):
    """A key in a file is no secret, and may be read by all."""
    (tmp_path / "jwt.pem").write_bytes(RSAKey.generate_key(2048).as_pem(private=False))

    assert load(JWT + 'public_key = "file:jwt.pem"\nalgorithms = ["RS256", "PS256"]').access


def test_the_environment_may_say_it_all(load):
    """Each value by a variable: one text, or a list as JSON."""
    parts = load(
        environ={
            "OSSGATE_ACCESS__JWT__JWKS_URL": "https://login.example/jwks",
            "OSSGATE_ACCESS__JWT__ALGORITHMS": '["RS256", "ES256"]',
            "OSSGATE_ACCESS__JWT__AUDIENCE": "uploads",
            "OSSGATE_ACCESS__PROXY__HEADER": "X-User",
            "OSSGATE_ACCESS__PROXY__FROM": '["192.0.2.1", "10.0.0.0/8"]',
            "OSSGATE_LIMITS__ISSUE": "1/hour",
            "OSSGATE_PROFILES__PHOTO__ORIGINS": '["https://a.example"]',
        }
    )

    assert ("RS256", "ES256") == parts.access._jwt._rules.algorithms
    caller = parts.access.identify({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_USER": "alice"})
    assert "proxy:alice" == caller.issuer
    assert ("https://a.example",) == parts.access.origins.union


def test_what_is_not_switched_on_is_not_loaded(tmp_path):
    """A server without tokens, and with rates that nobody has met, pays for neither library."""
    for name in ("ticket.key", "seal.key"):
        write_secret(tmp_path / "secrets" / name, new_key())
    (tmp_path / "ossgate.toml").write_text(EXAMPLE, encoding="utf-8")
    program = (
        "import sys; from ossgate.app import create_app; create_app();"
        "print(sorted({'joserfc', 'limits', 'redis', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=CREDENTIALS | {"OSSGATE_CONFIG": str(tmp_path / "ossgate.toml"), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert not {"joserfc", "limits", "redis"} & set(done.stdout.strip("[]\n").replace("'", "").split(", "))
