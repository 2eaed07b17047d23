"""Measurements of ossgate: `python -m bench` prints one table, the aims of the design beside what was measured.

`ledger_writer.py` and `emulator_upload.py` stand beside it and are run by themselves.
"""
