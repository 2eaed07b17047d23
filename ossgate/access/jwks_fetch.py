"""Fetching a published key set (https://www.rfc-editor.org/rfc/rfc7517#section-5), with bounds of size and time."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key

from ossgate.access.jwt_keys import read_published_key

MAX_BYTES = 256 * 1024
MAX_KEYS = 100
FETCH_SECONDS = 5.0
_STEP_SECONDS = 2.0
_CHUNK = 16 * 1024


class FetchFailed(Exception):
    """A key set that could not be had; the message says why."""


def fetch_keys(url: str) -> tuple[Key, ...]:
    """Return the keys that a URL publishes; those of kinds that we do not verify with are passed over.

    Raises:
        FetchFailed: No answer in time, another status than 200, too large, or no key set with a usable key.
    """
    return parse_keys(fetch_document(url))


def fetch_document(url: str) -> bytes:
    """Return what a URL answers.

    Raises:
        FetchFailed: No answer in time, another status than 200, or too large.
    """
    import urllib3

    ends_at = time.monotonic() + FETCH_SECONDS
    # No redirect is followed: the operator named the host whose word is believed.
    with urllib3.PoolManager(retries=False, timeout=_STEP_SECONDS) as manager:
        try:
            response = manager.request(
                "GET", url, preload_content=False, redirect=False, headers={"Accept": "application/json"}
            )
            try:
                if response.status != 200:
                    raise FetchFailed(f"it answered with status {response.status}")
                document = b""
                # Piece by piece, since a timeout bounds each silence and not a slow trickle.
                while piece := response.read1(_CHUNK):
                    document += piece
                    if len(document) > MAX_BYTES:
                        raise FetchFailed(f"it has more than {MAX_BYTES} bytes")
                    if time.monotonic() > ends_at:
                        raise FetchFailed("it takes too long")
                return document
            finally:
                response.close()
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise FetchFailed(f"it cannot be reached ({type(error).__name__})") from error


def parse_keys(document: bytes) -> tuple[Key, ...]:
    """Return the usable keys of a key set.

    Raises:
        FetchFailed: No key set, or none with a usable key.
    """
    try:
        data: Any = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise FetchFailed("it is not JSON") from error
    listed = data.get("keys") if isinstance(data, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise FetchFailed("it is no JSON Web Key Set")
    keys = tuple(key for one in listed if isinstance(one, dict) and (key := _read(one)) is not None)
    if not keys:
        raise FetchFailed("it holds no key that can verify tokens")
    return keys


def _read(data: Mapping[str, Any]) -> Key | None:
    try:
        return read_published_key(data)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
