"""The files of one devcluster: all of them are in one state directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec


class ClusterSettings(msgspec.Struct, kw_only=True):
    """The settings that `up` chose, and that the other commands and the node agent read.

    Ports are TCP ports of 127.0.0.1; `restart_backoff_seconds` is the base of the restart back-off.
    """

    apiserver_port: int
    etcd_client_port: int
    etcd_peer_port: int
    restart_backoff_seconds: float = 10.0
    bin_dir: str | None = None
    firestore_emulator_host: str | None = None
    emulator_is_ours: bool = False
    dashboard_url: str | None = None


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

    def save_settings(self, settings: ClusterSettings) -> None:
        """Write the settings."""
        (self.root / "settings.json").write_bytes(msgspec.json.encode(settings))

    def load_settings(self) -> ClusterSettings | None:
        """Return the settings of the last `up`; None if there are none or they cannot be read."""
        try:
            return msgspec.json.decode((self.root / "settings.json").read_bytes(), type=ClusterSettings)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
