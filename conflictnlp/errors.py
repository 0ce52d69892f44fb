"""The package's own exceptions, one for each way a user can be told what happened."""

from __future__ import annotations


class ConflictNLPError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(ConflictNLPError, ValueError):
    """Something the user gave cannot be used; the message says what, where and how to mend it (exit status 2)."""


class BundleError(InputError):
    """A bundle is damaged, unsafe, or of a newer format than this version reads."""


class PrunedError(ConflictNLPError):
    """A training was ended early because it promised too little; no fault."""


class IncompleteError(ConflictNLPError):
    """Some of several jobs failed; the others are done (exit status 1)."""


class TrackingError(ConflictNLPError):
    """The tracking store was lost after the work began; results lie on disk (exit status 1)."""
