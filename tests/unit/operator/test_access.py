"""Access to the API server, by a service account or a kubeconfig."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec.yaml
import pytest

from sluice_devcluster import certificates
from sluice_operator.adapters import access

IN_A_POD = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}


def kubeconfig(directory: Path, user: dict[str, Any]) -> Path:
    """Write a kubeconfig with one user; returns its path."""
    config = {
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:8001"}}],
        "users": [{"name": "me", "user": user}],
    }
    (directory / "config").write_bytes(msgspec.yaml.encode(config))
    return directory / "config"


async def token(client: Any) -> str | None:
    """Return the token that a request would send now."""
    found: str | None = await client.configuration.get_api_key_with_prefix("BearerToken")
    return found


async def test_a_pod_uses_its_service_account_and_reads_a_renewed_token(tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    certificates.write_pki(mounted)
    (mounted / "token").write_text("first")
    client = access.create_in_cluster_client(IN_A_POD, mounted)
    assert (client.configuration.host, await token(client)) == ("https://[fd00::1]:443", "bearer first")
    (mounted / "token").write_text("second")
    assert await token(client) == "bearer first"
    loader = client.configuration.refresh_api_key_hook.__closure__[0].cell_contents
    loader.token_expires_at -= loader._token_refresh_period
    assert await token(client) == "bearer second"


def test_without_a_pod_or_a_kubeconfig_there_are_no_credentials(tmp_path: Path) -> None:
    with pytest.raises(access.AccessError, match="KUBECONFIG"):
        access.create_in_cluster_client({}, tmp_path)


def test_a_damaged_ca_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first")
    (tmp_path / "ca.crt").write_text("none")
    with pytest.raises(access.AccessError):
        access.create_in_cluster_client(IN_A_POD, tmp_path)


async def test_a_kubeconfig_names_server_and_token(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, {"token": "secret"})
    client = await access.create_client({"KUBECONFIG": str(path)})
    assert (client.configuration.host, await token(client)) == ("http://127.0.0.1:8001", "Bearer secret")


async def test_a_token_file_is_read_again_after_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("first")
    client = await access.create_kubeconfig_client(kubeconfig(tmp_path, {"tokenFile": "token"}))
    (tmp_path / "token").write_text("second")
    assert await token(client) == "Bearer first"
    monkeypatch.setattr(access, "RELOAD_SECONDS", 0.0)
    assert await token(client) == "Bearer second"


async def test_a_kubeconfig_without_its_context_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("current-context: none\ncontexts: []\nclusters: []\nusers: []\n")
    for path in (tmp_path / "config", tmp_path / "absent"):
        with pytest.raises(access.AccessError, match="not a kubeconfig"):
            await access.create_kubeconfig_client(path)
