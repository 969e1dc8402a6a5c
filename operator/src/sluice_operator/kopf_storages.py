"""Storages for kopf that neither read nor write the objects.

kopf reads its storages with every event, before it calls a handler. With other storages, a user who may write an
object could make that reading fail, and the operator would get no more events of the object.
"""

from __future__ import annotations

from typing import Any

import kopf


class EmptyDiffBaseStorage(kopf.DiffBaseStorage):
    """The storage of the last handled state of an object. It is empty."""

    def build(self, **_: Any) -> Any:
        """Return an empty essence."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Return nothing."""

    def store(self, **_: Any) -> None:
        """Store nothing."""


class EmptyProgressStorage(kopf.ProgressStorage):
    """The storage of the progress of handlers. It is empty."""

    def fetch(self, **_: Any) -> None:
        """Return nothing."""

    def store(self, **_: Any) -> None:
        """Store nothing."""

    def purge(self, **_: Any) -> None:
        """Purge nothing."""

    def touch(self, **_: Any) -> None:
        """Touch nothing."""

    def clear(self, *, essence: Any) -> Any:
        """Return the essence as it is."""
        return essence
