"""A folder with settings, keys and databases: what a server of the measurements is started with."""

from __future__ import annotations

import secrets
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ossgate.access import hash_api_key, new_api_key
from ossgate.key_files import write_secret
from ossgate.settings import LoadedSettings, load_settings

PUBLIC_KEY_URL = "http://127.0.0.1/bench.pem"
CALLBACK_PATH = "/callback"
HEAD_PROFILE, CLAIMS_PROFILE = "photo", "claims"
SQLITE_URL = "sqlite:///ledger.sqlite3"

# Both profiles are those of a photo site; they differ in whether a callback is checked against the bucket.
SETTINGS = """\
allow_insecure = ["emulator_endpoint", "http_callback", "unverified_bucket"]

[oss]
region = "cn-hangzhou"
bucket = "demo-bucket"
endpoint = "http://127.0.0.1:{bucket_port}"
access_key_id = "file:secrets/access-key-id"
access_key_secret = "file:secrets/access-key-secret"

[callback]
url = ["http://127.0.0.1{callback_path}"]

[callback.public_keys]
"{public_key_url}" = "file:secrets/callback.pem"

[keys]
ticket = ["file:secrets/ticket.key"]
seal = ["file:secrets/seal.key"]

[database]
url = "{database_url}"

[access.api_keys.backend]
hash = "{key_hash}"
"""

PROFILE = """
[profiles.{name}]
allow = ["api_key"]
object_key = "photos/{{subject}}/{{date}}/{{upload_id}}{{ext}}"
content_types = ["image/jpeg", "image/png", "image/webp"]
max_size = "20MB"
verify_bucket = {verify_bucket}
quota = {{ pending_uploads = 1000000000, bytes = "1000000GB", period = "day" }}
"""


OUTBOX = """
[delivery]
in_server = false

[[delivery.webhooks]]
name = "application"
url = "https://application.example.com/uploads"
secret = "file:secrets/webhook.key"
"""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where one run of the measurements keeps its things."""

    folder: Path
    bucket_port: int
    api_key: str
    callback_key: RSAPrivateKey

    @property
    def settings_file(self) -> Path:
        """The settings that all servers share."""
        return self.folder / "ossgate.toml"

    def environment(self, database_url: str) -> dict[str, str]:
        """Return what a server needs to know."""
        return {"OSSGATE_CONFIG": str(self.settings_file), "OSSGATE_DATABASE__URL": database_url}

    def load_settings(self) -> LoadedSettings:
        """Return the settings as a server reads them."""
        return load_settings(self.settings_file, {})


def set_up_workplace(folder: Path, bucket_port: int, *, outbox: bool = False) -> Workplace:
    """Write keys and settings into an empty folder.

    Args:
        outbox: Whether somebody is to be told of each arrival, by another process than the servers.
    """
    secrets_folder = folder / "secrets"
    secrets_folder.mkdir(mode=0o700)
    for name in ("ticket.key", "seal.key", "access-key-secret"):
        write_secret(secrets_folder / name, secrets.token_hex(32))
    write_secret(secrets_folder / "access-key-id", "bench-access-key-id")
    callback_key = generate_callback_key()
    public = callback_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (secrets_folder / "callback.pem").write_bytes(public)
    api_key = new_api_key()
    text = SETTINGS.format(
        bucket_port=bucket_port,
        callback_path=CALLBACK_PATH,
        public_key_url=PUBLIC_KEY_URL,
        database_url=SQLITE_URL,
        key_hash=hash_api_key(api_key),
    )
    text += PROFILE.format(name=HEAD_PROFILE, verify_bucket="true")
    text += PROFILE.format(name=CLAIMS_PROFILE, verify_bucket="false")
    if outbox:
        write_secret(secrets_folder / "webhook.key", "whsec_" + b64encode(secrets.token_bytes(32)).decode())
        text += OUTBOX
    (folder / "ossgate.toml").write_text(text, encoding="utf-8")
    return Workplace(folder, bucket_port, api_key, callback_key)


def generate_callback_key() -> RSAPrivateKey:
    """Return a key as long as OSS's, 512 bits; without openssl one of 1,024, the shortest that cryptography makes."""
    try:
        made = subprocess.run(["openssl", "genrsa", "512"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return generate_private_key(65537, 1024)
    key = load_pem_private_key(made.stdout, None)
    assert isinstance(key, RSAPrivateKey)
    return key
