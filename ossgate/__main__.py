"""`python -m ossgate` is the command `ossgate`."""

from ossgate.cli import main

main()
