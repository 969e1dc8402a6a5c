"""The settings of a process with a job of some provider."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import msgspec

from sluice_runtime.settings import Settings
from sluice_runtime.standalone_settings import standalone_settings
from support.runtime_fakes import stored_job


def settings_of(*, in_pod: bool = False, files_dir: Path | None = None, **spec: Any) -> Settings:
    """Return the settings of a standalone runtime, or of a pod, whose job has these fields."""
    plain = standalone_settings(stored_job(**spec), {"SLUICE_STATE_DIR": "unused"}, 7, uuid.uuid4())
    return msgspec.structs.replace(plain, files_dir=files_dir, pod_uid="0b0b" if in_pod else plain.pod_uid)
