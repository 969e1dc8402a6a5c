"""kubectl sluice for krew: one archive for Linux and macOS, and the manifest by which krew installs it."""

from __future__ import annotations

import gzip
import io
import sys
import tarfile
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from sluice_manifests.errors import ManifestsError
from sluice_manifests.tools import run_and_return_output

# krew wants the name of the plugin as the name of the file.
MANIFEST = "sluice.yaml"
_PROGRAMS = ("kubectl-sluice", "kubectl_complete-sluice")
_DESCRIPTION = """\
Shows which market data feed of Sluice is live, and what to do about the others.
Stops jobs, symbols or all feeds with a reason and an end, waits until each pod
has confirmed, and names every switch that still pauses a job.
"""
_CAVEATS = """\
The plugin needs Python 3.9 or later as python3.
krew does not install the completion of plugins. To complete commands and jobs:
  kubectl sluice completion > "${KREW_ROOT:-$HOME/.krew}/bin/kubectl_complete-sluice"
  chmod +x "${KREW_ROOT:-$HOME/.krew}/bin/kubectl_complete-sluice"
"""


def write_plugin_archive(root: Path, version: str, folder: Path) -> Path:
    """Build the plugin, and write it with its completion and the license into a .tar.gz. Return its path.

    The same sources and the same Python give the same bytes. Raises ManifestsError if the plugin cannot be built.
    """
    path = folder / f"kubectl-sluice-{version}.tar.gz"
    with TemporaryDirectory() as built:
        run_and_return_output(sys.executable, root / "cli/tools/build_plugin.py", built)
        files = {name: (Path(built) / name).read_bytes() for name in _PROGRAMS}
    files["LICENSE"] = (root / "LICENSE").read_bytes()
    path.write_bytes(_archive(files))
    return path


def write_krew_manifest(archive: Path, version: str, download_url: str, homepage: str) -> Path:
    """Write the manifest beside the archive, and return its path.

    `download_url` is the address of the folder from which the files of the release are downloaded. `homepage` is the
    URL of this repository; it is left out unless it is one. Raises ManifestsError if krew could not download the file.
    """
    if not download_url.startswith("https://"):
        raise ManifestsError(f"DOWNLOAD_URL={download_url} is not an https URL: write it like https://HOST/PATH")
    digest = sha256(archive.read_bytes()).hexdigest()
    path = archive.with_name(MANIFEST)
    found = krew_manifest(version, f"{download_url.rstrip('/')}/{archive.name}", digest, homepage)
    path.write_text(yaml.safe_dump(found, sort_keys=False, width=100))
    return path


def krew_manifest(version: str, uri: str, digest: str, homepage: str) -> dict[str, Any]:
    """Return the manifest for the archive at `uri`, whose SHA-256 is `digest`."""
    platform = {
        "selector": {"matchExpressions": [{"key": "os", "operator": "In", "values": ["darwin", "linux"]}]},
        "uri": uri,
        "sha256": digest,
        "bin": _PROGRAMS[0],
    }
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "sluice"},
        "spec": {
            "version": f"v{version}",
            **({"homepage": homepage} if homepage.startswith("https://") else {}),
            "shortDescription": "Show, pause and resume market data feeds",
            "description": _DESCRIPTION,
            "caveats": _CAVEATS,
            "platforms": [platform],
        },
    }


def _archive(files: dict[str, bytes]) -> bytes:
    """Return a .tar.gz without times and users, so that the same files give the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as tar,
    ):
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755 if name in _PROGRAMS else 0o644
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
