"""The file that stores the pause objects of the job for a restart of the container."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from ..domain.pause_objects import KnownPauses
from .decoding import decode_json
from .error_text import file_error_text
from .switches import write_file_atomically

_log = logging.getLogger(__name__)


class _StoredPauses(msgspec.Struct):
    job_uid: str
    pauses: KnownPauses


class StoredPausesFile:
    """The pause objects that the pod has read last, in a file."""

    def __init__(self, path: Path, job_uid: str) -> None:
        self._path = path
        self._job_uid = job_uid

    def read(self) -> KnownPauses | None:
        """Return the pauses that an earlier process stored for this job; None if there are none that can be read."""
        try:
            stored = decode_json(self._path.read_bytes(), _StoredPauses)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("cannot read the cached pauses: %s", file_error_text(error))
            return None
        return stored.pauses if stored.job_uid == self._job_uid else None

    def write(self, pauses: KnownPauses) -> None:
        """Store the pauses. A failure is logged: then they do not outlive this process."""
        try:
            write_file_atomically(self._path, msgspec.json.encode(_StoredPauses(self._job_uid, pauses)))
        except OSError as error:
            _log.warning("cannot cache the pauses for a restart: %s", file_error_text(error))
