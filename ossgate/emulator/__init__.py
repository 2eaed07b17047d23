"""A local OSS: PostObject, HeadObject, GetObject and upload callbacks, checked as the service checks them.

A separate reading of OSS's rules that shares no code with the signer: were it to call the signer, a wrong
signature would agree with itself. FIDELITY.md names each rule, its source and the choices made.
"""

from ossgate.emulator.credentials import Credentials
from ossgate.emulator.options import EmulatorOptions
from ossgate.emulator.server import Emulator, EmulatorStartError

__all__ = ["Credentials", "Emulator", "EmulatorOptions", "EmulatorStartError"]
