"""Programs written in Go. An installed one is used; otherwise the program is built once from pinned modules."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sluice_manifests.errors import ManifestsError
from sluice_manifests.toolchain import ReportProgress, find_or_install_go

# The modules that pin etcd and Kubernetes, from which kubectl is built too.
MODULES = Path(__file__).parents[3] / "devcluster/go"
PROGRESS_SECONDS = 15.0
COMPONENT_BASE = "k8s.io/component-base/version"


@dataclass(frozen=True)
class GoProgram:
    """A program that can be built from a Go module."""

    name: str
    module: Path  # the folder with the go.mod and go.sum that pin the program
    package: str  # the Go package to compile
    versioned_by: str  # the required module whose version is the version of the program
    linker_variables: Callable[[str], dict[str, str]] = (
        lambda _: {}
    )  # from the text of go.mod: the variables the linker sets
    may_be_installed: bool = True  # an installed program of any version is as good as the built one


def cache_directory() -> Path:
    """Return the cache folder: ${SLUICE_CACHE}, or else ${XDG_CACHE_HOME}/sluice, or else ~/.cache/sluice."""
    own = os.environ.get("SLUICE_CACHE")
    if own:
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").resolve() / "sluice"


def pinned_version(go_mod: str, module: str) -> str:
    """Return the version of a required module in the text of a go.mod. Raises ManifestsError if it is not there."""
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise ManifestsError(f"go.mod does not require {module}.")
    return found.group(1)


def kubernetes_version_variables(go_mod: str) -> dict[str, str]:
    """Return the linker variables with which a Kubernetes program reports the version that its go.mod pins."""
    version = pinned_version(go_mod, "k8s.io/kubernetes")
    major, minor = version.removeprefix("v").split(".")[:2]
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "devcluster",
        # A fixed date keeps the build reproducible.
        "buildDate": "2026-01-01T00:00:00Z",
    }
    return {f"{COMPONENT_BASE}.{key}": value for key, value in values.items()}


def linker_flags(variables: dict[str, str]) -> str:
    """Return the linker flags that strip the program of debug symbols and set these variables."""
    return " ".join(["-s -w", *(f"-X {variable}={value}" for variable, value in variables.items())])


def kubernetes_program(name: str, minor_version: str = "") -> GoProgram:
    """Return the build description of a Kubernetes program, which reports the version that its go.mod pins.

    `minor_version` is a version such as 1.30 that has a module of its own, whose program is always built. Empty means
    the version that devcluster uses.
    """
    return GoProgram(
        name,
        MODULES / (f"kubernetes-{minor_version}" if minor_version else "kubernetes"),
        f"k8s.io/kubernetes/cmd/{name}",
        "k8s.io/kubernetes",
        kubernetes_version_variables,
        may_be_installed=not minor_version,
    )


KUBECTL = kubernetes_program("kubectl")


def find_or_build_programs(programs: Sequence[GoProgram], report: ReportProgress) -> list[Path]:
    """Return the path of each program. Build the programs that are missing.

    Raises ManifestsError if a build fails or is impossible.
    """
    found = [_find_existing_program(program) for program in programs]
    if None in found:
        with _build_lock(report):
            return [_find_existing_program(program) or _build_program(program, report) for program in programs]
    return [path for path in found if path is not None]


def are_programs_missing(programs: Sequence[GoProgram]) -> bool:
    """Return True if at least one of the programs has to be built."""
    return any(_find_existing_program(program) is None for program in programs)


def _find_existing_program(program: GoProgram) -> Path | None:
    """Return the path of the program in KUBEBUILDER_ASSETS, on the PATH (kubectl only) or in the cache, or None."""
    if program.may_be_installed and (installed := _find_installed_program(program.name)):
        return installed
    built = _built_program_path(program)
    return built if built.exists() else None


def _find_installed_program(name: str) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (candidate := Path(assets) / name).exists():
        return candidate.resolve()
    own = shutil.which("kubectl") if name == "kubectl" else None
    return Path(own) if own else None


def _built_program_path(program: GoProgram) -> Path:
    """Return the path in the cache of the program built from its pinned modules. The program may not exist yet."""
    try:
        go_mod, go_sum = _read_go_mod(program), (program.module / "go.sum").read_bytes()
    except FileNotFoundError as error:
        raise ManifestsError(
            f"{error.filename} is missing: {program.name} is built from the checkout (pip install -e), "
            "or taken from KUBEBUILDER_ASSETS."
        ) from error
    # A program of this repository has its source beside its go.mod.
    own_source = b"".join(path.read_bytes() for path in sorted(program.module.glob("*.go")))
    digest = hashlib.sha256(go_mod.encode() + go_sum + own_source).hexdigest()[:8]
    version = pinned_version(go_mod, program.versioned_by)
    return cache_directory() / f"{program.module.name}-{version}-{digest}" / program.name


def _read_go_mod(program: GoProgram) -> str:
    return (program.module / "go.mod").read_text()


@contextmanager
def _build_lock(report: ReportProgress) -> Iterator[None]:
    """Hold the lock on the cache while the context is open. Wait for it if another process builds."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    # The kernel releases the lock when its holder exits in any way, so no stale lock remains.
    with (cache / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another build")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_program(program: GoProgram, report: ReportProgress) -> Path:
    """Build the program with Go and return its path in the cache. Raises ManifestsError if the build fails."""
    destination = _built_program_path(program)
    destination.parent.mkdir(parents=True, exist_ok=True)
    # All modules are built with one Go that is new enough for each, so that shared packages are compiled once.
    go = find_or_install_go([MODULES / "etcd", MODULES / "kubernetes", program.module], cache_directory(), report)
    version = pinned_version(_read_go_mod(program), program.versioned_by)
    flags = linker_flags(program.linker_variables(_read_go_mod(program)))
    partial = destination.with_name(f".{program.name}.partial")
    log = destination.with_name(f"{program.name}.build.log")
    argv = [str(go), "build", "-trimpath", "-ldflags", flags, "-o", str(partial), program.package]
    report(f"building {program.name} {version} from its Go modules")
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            cwd=program.module,
            env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _wait_for_build(process, program.name, report)
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise ManifestsError(f"building {program.name} failed:\n{tail}\nSee the whole log in {log}")
    # Only a complete program gets the final name.
    partial.rename(destination)
    return destination


def _wait_for_build(process: subprocess.Popen[bytes], name: str, report: ReportProgress) -> None:
    """Wait until the build ends, and report its progress every 15 s. Kill it if the wait is interrupted."""
    started = time.monotonic()
    try:
        while True:
            try:
                process.wait(timeout=PROGRESS_SECONDS)
            except subprocess.TimeoutExpired:
                report(f"still building {name}: {time.monotonic() - started:.0f} s")
            else:
                report(f"built {name} in {time.monotonic() - started:.0f} s")
                return
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
