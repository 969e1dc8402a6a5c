"""The errors of devcluster, with messages that the user can act on."""

from __future__ import annotations


class DevclusterError(Exception):
    """A failure whose message is printed for the user, without a traceback."""
