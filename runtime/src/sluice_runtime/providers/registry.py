"""The providers by name. Each module is imported only when its provider is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Final

from .provider import Provider

# The module of this package that has the `PROVIDER` object.
_MODULES: Final[dict[str, str]] = {
    "alpaca": "alpaca.provider",
    "ibkr": "ibkr.provider",
    "synthetic": "synthetic",
    "replay": "replay",
}
# The provider of a job that environment variables declare without a document.
ENVIRONMENT_PROVIDER: Final = "alpaca"


def load_provider(name: str) -> Provider:
    """Return a provider. Its packages for connections are imported only when its clients are created."""
    provider: Provider = import_module(f".{_MODULES[name]}", __package__).PROVIDER
    return provider


def load_all_providers() -> Iterator[tuple[str, Provider]]:
    """Yield each provider with its name. Call this only outside the pod, which needs one of them."""
    for name in _MODULES:
        yield name, load_provider(name)
