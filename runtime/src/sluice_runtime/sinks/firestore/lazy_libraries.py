"""Parts of Google's libraries that gRPC does not need: they are loaded when something uses them.

See docs/adr/0041-lazy-libraries.md.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from threading import RLock
from types import ModuleType
from typing import Any

LAZY_LIBRARIES = (
    # The text form of messages.
    "google.protobuf.text_format",
    # The clients, with their queries, transactions and pipelines.
    "google.cloud.firestore_v1",
    # The generated clients, which load the REST transport.
    "google.cloud.firestore_v1.services.firestore",
    "google.cloud.firestore_v1.services.firestore.transports",
    # Configured methods and policies of retries, with requests.exceptions and urllib3. Sluice retries nothing.
    "google.api_core.gapic_v1",
    "google.api_core.retry",
    # Keys, and what they sign, with the package cryptography.
    "google.oauth2.service_account",
    "google.auth.crypt",
    "google.auth.iam",
    "google.auth.jwt",
    # Requests for tokens.
    "google.auth.transport.requests",
    "requests",
    "requests.adapters",
    "urllib3",
    "charset_normalizer",
)

# This submodule relies on the filters for warnings that the code of requests sets. google.auth imports it first.
_RUNS_BEFORE = {"requests.adapters": "requests"}

# One lock for all modules, so that two threads that load two modules do not wait for each other.
_lock = RLock()
_running: set[str] = set()


class LazyModule(ModuleType):
    """A module whose code has not run yet.

    It is the real module: the first use of a name that it does not have runs its code, and makes it a ModuleType. A
    submodule of a package is imported without the code of the package.
    """

    def __getattr__(self, name: str) -> Any:
        """Return the submodule or the attribute `name`.

        Raises:
            AttributeError: there is no such attribute.
            Exception: the module's code fails. It runs again at the next use.
        """
        spec: ModuleSpec = self.__dict__["__spec__"]
        if name == "__path__":  # the import system asks each module for it; a package has it from the start
            raise _no_attribute(spec.name, name)
        if _has_submodule(spec, name):
            return importlib.import_module(f"{spec.name}.{name}")
        _run_code_once(self, spec)
        if type(self) is ModuleType:
            return getattr(self, name)
        raise _no_attribute(spec.name, name)  # a circular import: the code is still running


def load_when_used(names: Iterable[str]) -> None:
    """Put modules into sys.modules whose code runs when something uses them. Loaded and absent modules stay so.

    Args:
        names: the full names of modules; a package comes before its subpackages.
    """
    for name in names:
        if name in sys.modules:
            continue
        spec = find_spec(name)  # imports the packages that contain the module
        if spec is None:
            continue
        module = module_from_spec(spec)
        module.__class__ = LazyModule
        sys.modules[name] = module
        package, _, last = name.rpartition(".")
        if package:
            setattr(sys.modules[package], last, module)


def _has_submodule(package: ModuleSpec, name: str) -> bool:
    """Return whether `name` means a submodule. Packages also use names such as __version__ for what is in one."""
    if package.submodule_search_locations is None or name.startswith("__"):
        return False
    return find_spec(f"{package.name}.{name}") is not None


def _run_code_once(module: ModuleType, spec: ModuleSpec) -> None:
    with _lock:
        if earlier := sys.modules.get(_RUNS_BEFORE.get(spec.name, "")):
            _run_code_once(earlier, earlier.__dict__["__spec__"])
        if type(module) is ModuleType or spec.name in _running or spec.loader is None:
            return
        _running.add(spec.name)
        try:
            spec.loader.exec_module(module)
            module.__class__ = ModuleType
        finally:
            _running.remove(spec.name)


def _no_attribute(module: str, name: str) -> AttributeError:
    return AttributeError(f"module {module!r} has no attribute {name!r}")
