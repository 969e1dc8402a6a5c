"""Where everything of one devcluster lies: one state directory, nothing outside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec


class ClusterSettings(msgspec.Struct, kw_only=True):
    """What `up` decided and every other command and the node agent need to know.

    Ports are TCP ports of 127.0.0.1; `restart_backoff_seconds` is the base of the restart back-off.
    """

    apiserver_port: int
    etcd_client_port: int
    etcd_peer_port: int
    restart_backoff_seconds: float = 10.0
    bin_dir: str | None = None
    firestore_emulator_host: str | None = None
    emulator_is_ours: bool = False


@dataclass(frozen=True)
class StateDirectory:
    """The paths below one `--state` directory."""

    root: Path

    @property
    def pki(self) -> Path:
        """Keys and certificates, mode 0700."""
        return self.root / "pki"

    @property
    def kubeconfig_file(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def etcd_data(self) -> Path:
        """etcd's data, thrown away at each `up` that follows a `down`."""
        return self.root / "etcd"

    @property
    def node_directory(self) -> Path:
        """The node agent's own directory: volumes, logs and process records of its pods."""
        return self.root / "node"

    @property
    def node_process_records(self) -> Path:
        """One record for each container process that the node agent started."""
        return self.node_directory / "processes"

    @property
    def process_records(self) -> Path:
        """One record for each process that `up` started."""
        return self.root / "processes"

    @property
    def lock_file(self) -> Path:
        """Held by the command that is changing this directory."""
        return self.root / "lock"

    def record_file(self, component: str) -> Path:
        """The process record of one component."""
        return self.process_records / f"{component}.json"

    def log_file(self, component: str) -> Path:
        """The log of one component."""
        return self.root / "log" / f"{component}.log"

    def save_settings(self, settings: ClusterSettings) -> None:
        """Writes the settings."""
        (self.root / "settings.json").write_bytes(msgspec.json.encode(settings))

    def load_settings(self) -> ClusterSettings | None:
        """The settings of the last `up`, or None when there are none (or none that can be read)."""
        try:
            return msgspec.json.decode((self.root / "settings.json").read_bytes(), type=ClusterSettings)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
