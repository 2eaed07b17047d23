"""``python -m ossgate.emulator``."""

from ossgate.emulator.cli import command

command(prog_name="python -m ossgate.emulator")
