"""The error of the commands, with a message that its reader can act on."""

from __future__ import annotations


class ManifestsError(Exception):
    """A command failed; its message is printed to the terminal."""
