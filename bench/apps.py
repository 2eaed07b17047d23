"""The applications under load: a bare Flask view, one with the core set of libraries, and ossgate without its ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from flask import Flask

if TYPE_CHECKING:
    from callback.views import CallbackServices
    from ossgate.ledger import Ledger
    from signer.services import SignerServices


def create_bare() -> Flask:
    """Return the yardstick: one view that answers a small dictionary."""
    app = Flask("bare", static_folder=None)

    @app.get("/")
    def show() -> dict[str, str]:
        return {"status": "ok", "message": "a small answer"}

    return app


def create_core() -> Flask:
    """Return the same with the libraries that any signing server of this kind loads."""
    import sqlite3

    import cryptography.hazmat.primitives.asymmetric.rsa
    import cryptography.hazmat.primitives.serialization
    import orjson

    app = create_bare()
    app.extensions["loaded"] = (sqlite3, cryptography, orjson)
    return app


def create_without_ledger() -> Flask:
    """Return ossgate with a ledger that records nothing."""
    from bench.null_ledger import NullLedger
    from ossgate.app import create_app

    app = create_app()
    ledger = cast("Ledger", NullLedger())
    signer: SignerServices = app.extensions["signer"]
    callback: CallbackServices = app.extensions["callback"]
    arrivals = replace(callback.receiver.arrivals, ledger=ledger)
    app.extensions["signer"] = replace(signer, ledger=ledger)
    app.extensions["callback"] = replace(
        callback, ledger=ledger, receiver=replace(callback.receiver, arrivals=arrivals)
    )
    app.extensions["health"] = replace(app.extensions["health"], ledger=ledger)
    return app
