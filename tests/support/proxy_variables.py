"""The environment variables that name proxies, which a developer's machine may have."""

from __future__ import annotations

import pytest

from sluice_contract.proxies import VARIABLES


def remove_proxy_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables for one test, in upper and in lower case."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
