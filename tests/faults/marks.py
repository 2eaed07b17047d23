"""What is left to `make faults`."""

import pytest


def long(*values):
    """Mark values of a parameter as long."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


def long_but(short, values):
    """Mark all but some of them."""
    return [pytest.param(value, marks=() if value in short else pytest.mark.long) for value in values]


def case(name, *values, is_long=False):
    """Name a case of several parameters."""
    return pytest.param(*values, id=name, marks=pytest.mark.long if is_long else ())
