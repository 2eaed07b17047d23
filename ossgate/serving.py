"""Starting gunicorn, as `ossgate serve` and the demo do."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
APPLICATION = "ossgate.app:create_app()"


def find_gunicorn_config() -> Path:
    """Return the tuned gunicorn settings: inside the installed package, or in the checkout's deploy folder."""
    installed = _PACKAGE / "deploy" / "gunicorn.conf.py"
    return installed if installed.exists() else _PACKAGE.parent / "deploy" / "gunicorn.conf.py"


def build_gunicorn_command(host: str, port: int, *, workers: int, threads: int) -> list[str]:
    """Return the command that serves the application of the environment's settings."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        str(find_gunicorn_config()),
        "--bind",
        bind,
        "--workers",
        str(workers),
        "--threads",
        str(threads),
        APPLICATION,
    ]


def find_bind_problem(host: str, port: int) -> str:
    """Return why a server cannot bind there, in a few words, or nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def find_free_port(host: str) -> int:
    """Return a port that is free at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
