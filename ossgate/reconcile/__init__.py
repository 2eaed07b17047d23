"""Bucket against ledger, both ways: what a callback did not tell is found, and what is gone is noticed."""

from ossgate.reconcile.findings import Kind, Outcome
from ossgate.reconcile.progress import Progress
from ossgate.reconcile.reconciler import Interrupted, Options, Reconciler

__all__ = ["Interrupted", "Kind", "Options", "Outcome", "Progress", "Reconciler"]
