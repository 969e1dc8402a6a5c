"""The files of one devcluster: all of them are in one state directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

S = TypeVar("S", bound="SiteSettings")


class SiteSettings(msgspec.Struct, kw_only=True):
    """What the commands know of a cluster that is up, of either kind. Addresses are host:port and URL."""

    firestore_emulator_host: str | None = None
    dashboard_url: str | None = None


class ClusterSettings(SiteSettings, kw_only=True):
    """The settings that `up` chose, and that the other commands and the node agent read.

    Ports are TCP ports of 127.0.0.1; `restart_backoff_seconds` is the base of the restart back-off.
    """

    apiserver_port: int
    etcd_client_port: int
    etcd_peer_port: int
    restart_backoff_seconds: float = 10.0
    bin_dir: str | None = None
    emulator_is_ours: bool = False


class KindSettings(SiteSettings, kw_only=True):
    """The kind cluster of `up`: its name, the Docker command, and the images that were built for it.

    `is_created` is False until kind has created the cluster completely. The images of the node and of the emulator are
    those that the user chose; they are empty for the defaults.
    """

    cluster_name: str
    is_created: bool = False
    docker: str = "docker"
    node_image: str = ""
    emulator_image: str = ""
    images: list[str] = []


@dataclass(frozen=True)
class StateDirectory:
    """The paths in one `--state` directory."""

    root: Path

    @property
    def pki(self) -> Path:
        """The directory of keys and certificates, mode 0700."""
        return self.root / "pki"

    @property
    def kubeconfig_file(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def etcd_data_directory(self) -> Path:
        """The directory of etcd's data, which `down` deletes."""
        return self.root / "etcd"

    @property
    def node_directory(self) -> Path:
        """The node agent's own directory: volumes, logs and process records of its pods."""
        return self.root / "node"

    @property
    def node_processes_directory(self) -> Path:
        """The directory with one record for each container process that the node agent started."""
        return self.node_directory / "processes"

    @property
    def processes_directory(self) -> Path:
        """The directory with one record for each process that `up` started."""
        return self.root / "processes"

    @property
    def lock_file(self) -> Path:
        """The file that a command locks while it changes this directory."""
        return self.root / "lock"

    def record_file(self, component: str) -> Path:
        """Return the path of a component's process record."""
        return self.processes_directory / f"{component}.json"

    def log_file(self, component: str) -> Path:
        """Return the path of a component's log."""
        return self.root / "log" / f"{component}.log"

    def save_settings(self, settings: SiteSettings) -> None:
        """Write the settings of a cluster of either kind."""
        file = self._kind_file if isinstance(settings, KindSettings) else self._process_file
        file.write_bytes(msgspec.json.encode(settings))

    def load_settings(self) -> ClusterSettings | None:
        """Return the settings of the cluster of processes; None if there are none or they cannot be read."""
        return _load(self._process_file, ClusterSettings)

    def load_kind_settings(self) -> KindSettings | None:
        """Return the settings of the kind cluster; None if there are none or they cannot be read."""
        return _load(self._kind_file, KindSettings)

    def load_site_settings(self) -> SiteSettings | None:
        """Return the settings of the cluster that is up, of either kind; None if there is none."""
        return self.load_kind_settings() or self.load_settings()

    def delete_settings(self) -> None:
        """Forget the cluster that is up."""
        for file in (self._kind_file, self._process_file):
            file.unlink(missing_ok=True)

    @property
    def _process_file(self) -> Path:
        return self.root / "settings.json"

    @property
    def _kind_file(self) -> Path:
        return self.root / "kind.json"


def _load(file: Path, form: type[S]) -> S | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=form)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
