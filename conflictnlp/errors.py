"""The package's own exceptions, one for each way a user can be told what happened."""

from __future__ import annotations


class ConflictNLPError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(ConflictNLPError, ValueError):
    """Something the user gave cannot be used; the message says what, where and how to mend it (exit status 2)."""


class BundleError(InputError):
    """A bundle is damaged, unsafe, or of a newer format than this version reads."""


class TrackingError(ConflictNLPError):
    """The tracking store was lost after the work began; results lie on disk (exit status 1)."""
