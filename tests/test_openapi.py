"""Schemathesis reads the document and drives the application by it: whatever it thinks of ends as the document says.

The ledger is a real one on SQLite, the bucket a real emulator, so that uploads in parts are begun and given up for real.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth, missing_required_header

from ossgate.access.keys import hash_api_key
from ossgate.app import create_app
from ossgate.emulator import Emulator, EmulatorOptions
from ossgate.example_settings import DemoPlace, render_demo
from ossgate.openapi.document import build_document
from ossgate.openapi.paths import CALLBACKS, OPERATORS
from ossgate.settings import load_settings

OPERATOR, BACKEND = "ossgate_operator", "ossgate_backend"
EXAMPLES, WALKS, STEPS = 80, 150, 10
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            # What a schema cannot say: whether a file is of the profile's types and sizes, or its name has anything in it.
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "401", "403", "404", "409", "410", "413", "415", "422", "429"]
            },
            "negative_data_rejection": {
                "expected-statuses": ["400", "401", "403", "404", "405", "409", "410", "413", "415", "422", "429"]
            },
            # An upload that was given up is still shown, as given up.
            "use_after_free": {"enabled": False},
        }
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """Make an application with the demo's profiles, which API keys may use as well, and quotas that no test uses up."""
    folder = tmp_path_factory.mktemp("openapi")
    options = EmulatorOptions(
        data_dir=folder / "bucket",
        port=0,
        bucket="demo-bucket",
        region="cn-hangzhou",
        access_key_id="test-key-id",
        access_key_secret="test-key-secret",
    )
    with Emulator(options) as emulator:
        app = create_app(load_settings(write_settings(folder, emulator), environ={}))
        ledger = app.extensions["signer"].ledger
        ledger.upgrade()
        yield app
        app.extensions["signer"].bucket.close()
        ledger.close()


def write_settings(folder: Path, emulator: Emulator) -> Path:
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)
    for name, content in {
        "ticket.key": "t" * 43,
        "seal.key": "s" * 43,
        "access-key-id": "test-key-id",
        "access-key-secret": "test-key-secret",
        "emulator-callback.pem": emulator.public_key_pem,
    }.items():
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(content)
    text = render_demo(DemoPlace(8000, int(emulator.url.rpartition(":")[2])))
    text = text.replace('allow = ["anonymous"]', 'allow = ["anonymous", "api_key", "bearer"]')
    text = re.sub(r"pending_uploads = \d+", "pending_uploads = 1000000", text)
    text = re.sub(r"^bytes = .*", 'bytes = "8000TB"', text, flags=re.MULTILINE)
    text = re.sub(r"/minute", "/second", text)
    text += (
        f'\n[access.api_keys.ops]\nhash = "{hash_api_key(OPERATOR)}"\noperator = true\n'
        f'[access.api_keys.shop]\nhash = "{hash_api_key(BACKEND)}"\n'
    )
    path = folder / "ossgate.toml"
    path.write_text(text, encoding="utf-8")
    return path


class Switch:
    """Stands for the application while tests are collected, and hands over to it when it is there."""

    application: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answered: Iterable[bytes] = self.application(environ, start_response)
        return answered


SWITCH = Switch()
schema = schemathesis.openapi.from_dict(build_document(), config=CONFIG)
schema.app = SWITCH


@pytest.fixture(scope="module", autouse=True)
def switched(app: Flask) -> None:
    """Let the collected tests speak to the application."""
    SWITCH.application = app


def choose_headers(case: Any) -> dict[str, str]:
    """Choose who asks: operators for what is theirs, OSS for callbacks, a backend for all else."""
    (tag,) = case.operation.definition.raw["tags"]
    if tag == CALLBACKS:
        return {}
    return {"Authorization": f"Bearer {OPERATOR if tag == OPERATORS else BACKEND}"}


def choose_left_out(case: Any) -> list[Any]:
    """Choose the checks that do not fit: to ask OSS for credentials by a 401 would be in vain, so it is a 403."""
    (tag,) = case.operation.definition.raw["tags"]
    return [missing_required_header] if tag == CALLBACKS else []


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_it_is_described(case: Any) -> None:
    """Each answer to requests good and bad has a documented status, type, headers and shape, and is no crash."""
    case.call_and_validate(headers=choose_headers(case), excluded_checks=choose_left_out(case))


def steer(case: Any) -> None:
    """Let most of what is of the documented form also be of a profile and of parts that there are."""
    name, body = case.operation.definition.raw["operationId"], case.body
    if case.meta is None or not case.meta.generation.mode.is_positive or not isinstance(body, dict):
        return
    # A copy: what was generated is compared with what is generated again.
    body = dict(body)
    if name == "issueUpload":
        body["profile"] = "file"
        if type(size := body.get("size")) is int:
            body |= {
                "size": size % 10**7 + 1,
                "filename": "a.bin",
                # Most of the walk is about parts.
                "via": {0: "post", 1: "put"}.get(size % 8, "multipart"),
            }
            for optional in ("part_size", "content_type", "vars", "subject", "checksum"):
                body.pop(optional, None)
    elif name == "signParts":
        body["part_numbers"] = [1]
    case.body = body


def test_what_one_answer_names_the_next_request_takes() -> None:
    """Grants are walked by the document's links: shown, confirmed, signed and listed by parts, completed, given up."""
    seen: set[tuple[str, int]] = set()

    # What is listed there comes when the ledger finds time for it, and a walk has to be the same twice.
    walked = schema.exclude(path_regex="^/v1/callbacks")

    class Walk(walked.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {OPERATOR}"}}

        def before_call(self, case: Any) -> None:
            steer(case)

        def validate_response(self, response: Any, case: Any, **options: Any) -> None:
            seen.add((case.operation.definition.raw["operationId"], response.status_code))
            # That credentials are asked for is seen above; here they are given behind the generator's back.
            case.validate_response(response, excluded_checks=[*choose_left_out(case), ignored_auth])

    Walk.run(
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )

    # Ids of real uploads were reached, and not only refused ones.
    assert {
        ("issueUpload", 201), ("showUpload", 200), ("confirmUpload", 409), ("abortUpload", 200), ("showHistory", 200),
        ("signParts", 200), ("listParts", 200),
    } <= seen  # fmt: skip
