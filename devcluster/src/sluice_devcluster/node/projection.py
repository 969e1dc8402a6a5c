"""The content of projected volumes: a set of files that one rename replaces, as in the kubelet."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from sluice_devcluster.node.volumes import VolumeFiles

DATA = "..data"


def write_atomically(directory: Path, files: VolumeFiles) -> None:
    """Make the directory hold exactly these files; a reader sees the old set or the new one, never a mixture."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    version = directory / f"..{time.strftime('%Y_%m_%d_%H_%M_%S', time.gmtime())}.{time.monotonic_ns()}"
    _write_version(version, files)
    previous = _current_version(directory)
    link = directory / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(version.name)
    link.rename(directory / DATA)
    _link_names(directory, files)
    if previous is not None:
        shutil.rmtree(directory / previous, ignore_errors=True)


def _write_version(version: Path, files: VolumeFiles) -> None:
    version.mkdir(mode=0o755)
    for name, file in files.items():
        path = version / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)


def _current_version(directory: Path) -> str | None:
    try:
        return os.readlink(directory / DATA)
    except FileNotFoundError:
        return None


def _link_names(directory: Path, files: VolumeFiles) -> None:
    wanted = {name.split("/")[0] for name in files}
    for name in wanted:
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(f"{DATA}/{name}")
    for entry in directory.iterdir():
        if not entry.name.startswith("..") and entry.name not in wanted:
            entry.unlink()
