"""`ossgate keys`: API keys are made, listed and revoked; our own keys are made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from ossgate.access.keys import ApiKey
    from ossgate.settings import LoadedSettings

FAILED, WRONG = 1, 2


@click.group()
def keys() -> None:
    """API keys, and the keys that sign tickets and make seals."""


@keys.command()
@click.option(
    "--kind",
    default="api",
    type=click.Choice(["api", "ticket", "seal", "webhook"]),
    help="An API key for a trusted backend, one of our own keys, or the secret of a webhook.",
)
@click.option(
    "--to",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="For ticket, seal and webhook: the file to write, readable by its owner alone.",
)
@click.option("--name", default="backend", help="For api: the key's name.")
@click.option("--add", is_flag=True, help="For api: add it to the file of [access] api_keys_file, at once.")
@click.option("--operator", is_flag=True, help="For api: the key may see every upload.")
def new(kind: str, file: Path | None, name: str, add: bool, operator: bool) -> None:
    """Make a key."""
    if kind == "api":
        _new_api_key(name, add=add, operator=operator)
        return
    from ossgate.key_files import new_key, write_secret

    secret = _new_webhook_secret() if kind == "webhook" else new_key()
    if file is None:
        click.echo(secret)
        return
    try:
        write_secret(file, secret)
    except FileExistsError:
        _fail(f"{file} is there already, and a key in use is never overwritten.", WRONG)
    except OSError as error:
        _fail(f"{file} cannot be written: {(error.strerror or str(error)).lower()}.", WRONG)
    place = "secret of a [[delivery.webhooks]]" if kind == "webhook" else f"the end of [keys] {kind}"
    click.echo(f'wrote {file}; add "file:{file}" at {place}')


def _new_webhook_secret() -> str:
    from secrets import token_bytes

    from ossgate.delivery.signatures import encode_secret

    return encode_secret(token_bytes(32))


@keys.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def list_keys(as_json: bool) -> None:
    """List the API keys by name; the keys themselves are kept nowhere."""
    loaded = _load()
    file = _find_key_file(loaded)
    found = [
        {"name": name, "operator": key.operator, "where": loaded.source}
        for name, key in loaded.settings.access.api_keys.items()
    ]
    if file is not None:
        from ossgate.access.key_file import KeyFileBroken, read_key_file

        try:
            found += [
                {"name": key.name, "operator": key.operator, "where": str(file)}
                for key in read_key_file(file)
            ]
        except KeyFileBroken as error:
            _fail(f"{error}.", FAILED)
    if as_json:
        import orjson

        click.echo(orjson.dumps({"keys": found}).decode())
        return
    if not found:
        click.echo("there are no API keys; make one with `ossgate keys new --add`")
    for one in found:
        click.echo(f"{one['name']}{'  (operator)' if one['operator'] else ''}  {one['where']}")


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke an API key; a running server refuses it within a second, with all bearers that it made."""
    loaded = _load()
    file = _find_key_file(loaded)
    revoked = False
    if file is not None:
        from ossgate.access.key_file import KeyFileBroken, revoke_key

        try:
            revoked = revoke_key(file, name)
        except KeyFileBroken as error:
            _fail(f"{error}.", FAILED)
        except OSError as error:
            _fail(f"{file} cannot be written: {(error.strerror or str(error)).lower()}.", FAILED)
    if name in loaded.settings.access.api_keys:
        from ossgate.problems import find_line

        line = find_line(loaded.text, ("access", "api_keys", name))
        place = f"line {line} of {loaded.source}" if line else "the environment"
        _fail(
            f"the key {name} stands in {place}, which commands do not edit: "
            f"take [access.api_keys.{name}] out there and restart the server.",
            WRONG,
        )
    if not revoked:
        _fail(f"there is no key {name}; `ossgate keys list` lists them.", WRONG)
    click.echo(f"revoked {name}; a running server refuses it within a second")


def _new_api_key(name: str, *, add: bool, operator: bool) -> None:
    from ossgate.access.keys import ApiKey, hash_api_key, is_key_name, new_api_key

    if not is_key_name(name):
        _fail(f"{name!r} cannot name a key; use at most 64 letters, digits, _ and -.", WRONG)
    key = new_api_key()
    hashed = hash_api_key(key)
    if add:
        _add(ApiKey(name, hashed, operator))
    click.echo("# Give this to the backend, as Authorization: Bearer …; it is not shown again.")
    click.echo(key)
    if not add:
        click.echo("# Add this to ossgate.toml:")
        click.echo(f'[access.api_keys.{name}]\nhash = "{hashed}"' + ("\noperator = true" if operator else ""))


def _add(key: ApiKey) -> None:
    from ossgate.access.key_file import KeyFileBroken, add_key

    loaded = _load()
    file = _find_key_file(loaded)
    if file is None:
        _fail("[access] api_keys_file is empty; name a file there, or leave --add out.", WRONG)
    if key.name in loaded.settings.access.api_keys:
        _fail(f"a key {key.name} stands in {loaded.source} already; choose another --name.", WRONG)
    try:
        add_key(file, key)
    except FileExistsError:
        _fail(f"there is a key {key.name} already; revoke it first, or choose another --name.", WRONG)
    except KeyFileBroken as error:
        _fail(f"{error}.", FAILED)
    except OSError as error:
        _fail(f"{file} cannot be written: {(error.strerror or str(error)).lower()}.", FAILED)
    click.echo(f"# Added {key.name} to {file}; a running server takes it within a second.")


def _load() -> LoadedSettings:
    from ossgate.problems import SettingsInvalid
    from ossgate.settings import load_settings

    try:
        return load_settings()
    except SettingsInvalid as error:
        _fail(str(error), WRONG)


def _find_key_file(loaded: LoadedSettings) -> Path | None:
    file = loaded.settings.access.api_keys_file
    return loaded.resolve_path(file) if file else None


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"ossgate: {message}", err=True)
    raise SystemExit(code)
