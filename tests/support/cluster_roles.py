"""ClusterRoles that lack a right for a while."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sluice_devcluster.kubectl import Kubectl


@contextmanager
def without_rights(kubectl: Kubectl, role: str, resources: Collection[str]) -> Iterator[None]:
    """Let the ClusterRole `role` grant nothing on `resources`, such as `ingestjobs/status`, while the context lasts."""
    rules = kubectl.get("clusterrole", role)["rules"]
    remaining = ((rule, [each for each in rule["resources"] if each not in resources]) for rule in rules)
    _replace(kubectl, role, [{**rule, "resources": kept} for rule, kept in remaining if kept])
    try:
        yield
    finally:
        _replace(kubectl, role, rules)


def _replace(kubectl: Kubectl, role: str, rules: list[dict[str, Any]]) -> None:
    kubectl("patch", "clusterrole", role, "--type=merge", "-p", json.dumps({"rules": rules}))
