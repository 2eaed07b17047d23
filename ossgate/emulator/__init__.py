"""A local OSS: uploads and downloads of every kind with their callbacks, checked as the service checks them.

A separate reading of OSS's rules that shares no code with the signer: were it to call the signer, a wrong
signature would agree with itself. FIDELITY.md names each rule, its source and the choices made.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ossgate.emulator.credentials import Credentials
    from ossgate.emulator.options import EmulatorOptions
    from ossgate.emulator.server import Emulator, EmulatorStartError
    from ossgate.emulator.sts import StsOptions, StsRole

__all__ = ["Credentials", "Emulator", "EmulatorOptions", "EmulatorStartError", "StsOptions", "StsRole"]

_HOMES = {
    "Credentials": "credentials",
    "Emulator": "server",
    "EmulatorOptions": "options",
    "EmulatorStartError": "server",
    "StsOptions": "sts",
    "StsRole": "sts",
}


def __getattr__(name: str) -> Any:
    # On first use: the pytest plugin is imported by every run of pytest, whether it wants an emulator or not.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
