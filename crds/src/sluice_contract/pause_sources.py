"""The sources of a pause: the names of the switches that can pause a job, and their order in the status.

The order is that of authority: whom to ask first. No switch overrides another, and each ends by its own means alone.
"""

from __future__ import annotations

from typing import Final

from .identity import DELETED_SOURCE, UNREAD_SOURCE, UNREADABLE_SOURCE

CLUSTER_PAUSE_PREFIX: Final = "clusterpause:"
PAUSE_PREFIX: Final = "pause:"
SPEC_ENABLED_SOURCE: Final = "spec.enabled"
SPEC_PAUSE_SOURCE: Final = "spec.pause"
QUOTA_SOURCE: Final = "quota"
AUTO_STOP_SOURCE: Final = "autoStop"
API_SOURCE: Final = "api"
FILE_PREFIX: Final = "file:"
ENVIRONMENT_SOURCE: Final = "env:INGEST_ENABLED"

# A source is one of these names, or starts with one that ends in a colon.
ORDER: Final = (
    DELETED_SOURCE,
    UNREAD_SOURCE,
    UNREADABLE_SOURCE,
    CLUSTER_PAUSE_PREFIX,
    PAUSE_PREFIX,
    SPEC_ENABLED_SOURCE,
    SPEC_PAUSE_SOURCE,
    QUOTA_SOURCE,
    AUTO_STOP_SOURCE,
    API_SOURCE,
    FILE_PREFIX,
    ENVIRONMENT_SOURCE,
)

_OTHER_KIND: Final = "other"
PAUSE_KINDS: Final = (*(each.partition(":")[0] for each in ORDER), _OTHER_KIND)


def cluster_pause_source(name: str) -> str:
    """Return the source of a pause by the ClusterIngestPause of this name."""
    return CLUSTER_PAUSE_PREFIX + name


def pause_source(name: str) -> str:
    """Return the source of a pause by the IngestPause of this name in the job's namespace."""
    return PAUSE_PREFIX + name


def file_source(path: str) -> str:
    """Return the source of a pause by the file at this path."""
    return FILE_PREFIX + path


def position_of_source(source: str) -> int:
    """Return the position of a source in the order of the status; a source of another version is last."""
    for position, known in enumerate(ORDER):
        if source == known or (known.endswith(":") and source.startswith(known)):
            return position
    return len(ORDER)


def kind_of_source(source: str) -> str:
    """Return the kind of switch of a source, without the name of an object or a file: one of `PAUSE_KINDS`."""
    position = position_of_source(source)
    return PAUSE_KINDS[position]
