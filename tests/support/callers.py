"""kubectl as somebody else than the administrator: with a real token, so that the API server says who it is."""

from __future__ import annotations

import json
from pathlib import Path

from sluice_devcluster import binaries
from sluice_devcluster.kubectl import Kubectl
from sluice_devcluster.quickstart import Site


class Callers:
    """Makes callers. Their kubeconfigs hold a token and no certificate, which would count before it."""

    def __init__(self, site: Site, directory: Path) -> None:
        """The kubeconfigs are written into `directory`."""
        self._site = site
        self._directory = directory
        self._made = 0

    def account(self, namespace: str, name: str, pod: str = "") -> Kubectl:
        """A ServiceAccount; with `pod` by a token that is bound to this pod, as the one that is mounted into it."""
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={pod}") if pod else ()
        return self.token(self._site.kubectl("create", "token", name, "-n", namespace, *bound).strip())

    def token(self, token: str) -> Kubectl:
        """Whoever the token says."""
        config = json.loads(self._site.kubectl("config", "view", "--raw", "-o", "json"))
        cluster = config["clusters"][0]["name"]
        config["users"] = [{"name": "caller", "user": {"token": token}}]
        config["contexts"] = [{"name": "caller", "context": {"cluster": cluster, "user": "caller"}}]
        config["current-context"] = "caller"
        self._made += 1
        path = self._directory / f"caller-{self._made}"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return Kubectl(binaries.provide(lambda _: None).kubectl, path)
