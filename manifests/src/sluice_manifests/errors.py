"""What can go wrong, said in sentences a person can act on."""

from __future__ import annotations


class ManifestsError(Exception):
    """A failure whose text is meant for the person at the terminal."""
