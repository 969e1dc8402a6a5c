"""Storages for kopf that store nothing in the objects and read nothing from them.

kopf reads its storages at each event, before it calls a handler. With kopf's own storages, a user who may write an
object could make that read fail, and the operator would get no more events of the object.
"""

from __future__ import annotations

from typing import Any

import kopf


class EmptyDiffBaseStorage(kopf.DiffBaseStorage):
    """A storage for the last handled state of an object (kopf's essence). It is always empty."""

    def build(self, **_: Any) -> Any:
        """Return an empty state."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Return None: nothing is stored."""

    def store(self, **_: Any) -> None:
        """Store nothing."""


class EmptyProgressStorage(kopf.ProgressStorage):
    """A storage for the progress of handlers. It is always empty."""

    def fetch(self, **_: Any) -> None:
        """Return None: nothing is stored."""

    def store(self, **_: Any) -> None:
        """Store nothing."""

    def purge(self, **_: Any) -> None:
        """Purge nothing."""

    def touch(self, **_: Any) -> None:
        """Touch nothing."""

    def clear(self, *, essence: Any) -> Any:
        """Return the state unchanged."""
        return essence
