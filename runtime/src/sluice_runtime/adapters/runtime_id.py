"""The ID of a standalone runtime. It identifies the runtime's jobs, as the UID of an IngestJob does in a cluster."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path

from .switches import write_file_atomically

_log = logging.getLogger(__name__)

_FILE_NAME = "runtime-id"


def read_or_create_runtime_id(directory: Path) -> uuid.UUID:
    """Return the ID in the state directory. If there is none, or it is damaged, create one.

    If the directory cannot be used, the ID is valid for this process only, and a warning says what follows from that.
    """
    path = directory / _FILE_NAME
    try:
        return uuid.UUID(path.read_text("ascii").strip())
    except (OSError, ValueError):
        created = uuid.uuid4()
    try:
        write_file_atomically(path, f"{created}\n".encode())
    except OSError as error:
        _log.warning(
            "the ID of this runtime cannot be stored in %s (%s); after a restart, it counts as another job and waits "
            "until its own last heartbeat is old; make the directory writable, or name another in SLUICE_STATE_DIR",
            path,
            error.strerror,
        )
    return created
