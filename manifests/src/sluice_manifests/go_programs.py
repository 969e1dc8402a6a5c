"""Programs written in Go: found where the machine has them, else built once from pinned modules."""

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
from sluice_manifests.toolchain import Report, find_go

# The modules that pin etcd and Kubernetes, from which kubectl is built too.
MODULES = Path(__file__).parents[3] / "devcluster/go"
PROGRESS_SECONDS = 15.0
COMPONENT_BASE = "k8s.io/component-base/version"


@dataclass(frozen=True)
class Program:
    """One program that is built from a Go module."""

    name: str
    module: Path  # the folder with the go.mod and go.sum that pin it
    package: str  # what is compiled
    versioned_by: str  # the required module whose version is the program's
    stamps: Callable[[str], dict[str, str]] = lambda _: {}  # from the text of go.mod: the variables the linker sets


def cache_directory() -> Path:
    """${SLUICE_CACHE}, else ${XDG_CACHE_HOME}/sluice, else ~/.cache/sluice."""
    own = os.environ.get("SLUICE_CACHE")
    if own:
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").resolve() / "sluice"


def pinned_version(go_mod: str, module: str) -> str:
    """The version of a required module in the text of a go.mod; raises ManifestsError when it is not there."""
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise ManifestsError(f"go.mod does not require {module}.")
    return found.group(1)


def kubernetes_stamps(go_mod: str) -> dict[str, str]:
    """The version of Kubernetes in a go.mod, as the variables that tell it."""
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


def link_flags(stamps: dict[str, str]) -> str:
    """The linker flags for a small program with these variables set."""
    return " ".join(["-s -w", *(f"-X {variable}={value}" for variable, value in stamps.items())])


def kubernetes_program(name: str) -> Program:
    """A program of Kubernetes, stamped with the version that the go.mod pins."""
    package = f"k8s.io/kubernetes/cmd/{name}"
    return Program(name, MODULES / "kubernetes", package, "k8s.io/kubernetes", kubernetes_stamps)


KUBECTL = kubernetes_program("kubectl")


def provide_programs(programs: Sequence[Program], report: Report) -> list[Path]:
    """Where each of the programs is, after building those that are missing.

    Raises ManifestsError when a build fails or is impossible.
    """
    found = [_existing(program) for program in programs]
    if None in found:
        with _build_lock(report):
            return [_existing(program) or _build(program, report) for program in programs]
    return [path for path in found if path is not None]


def _existing(program: Program) -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (candidate := Path(assets) / program.name).exists():
        return candidate.resolve()
    if program.name == "kubectl" and (own := shutil.which("kubectl")):
        return Path(own)
    built = _destination(program)
    return built if built.exists() else None


def _destination(program: Program) -> Path:
    try:
        go_mod, go_sum = _go_mod(program), (program.module / "go.sum").read_bytes()
    except FileNotFoundError as error:
        raise ManifestsError(
            f"{error.filename} is missing: {program.name} is built from the checkout (pip install -e), "
            "or taken from KUBEBUILDER_ASSETS."
        ) from error
    digest = hashlib.sha256(go_mod.encode() + go_sum).hexdigest()[:8]
    version = pinned_version(go_mod, program.versioned_by)
    return cache_directory() / f"{program.module.name}-{version}-{digest}" / program.name


def _go_mod(program: Program) -> str:
    return (program.module / "go.mod").read_text()


@contextmanager
def _build_lock(report: Report) -> Iterator[None]:
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    # The kernel drops the lock with its holder, however that ends, so there is no stale one to clean.
    with (cache / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another build is running: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(program: Program, report: Report) -> Path:
    destination = _destination(program)
    destination.parent.mkdir(parents=True, exist_ok=True)
    # One Go that is new enough for every module here, so that what they share is compiled once.
    go = find_go([MODULES / "etcd", MODULES / "kubernetes", program.module], cache_directory(), report)
    version = pinned_version(_go_mod(program), program.versioned_by)
    flags = link_flags(program.stamps(_go_mod(program)))
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
        _watch(process, program.name, report)
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise ManifestsError(f"building {program.name} failed:\n{tail}\nThe whole log: {log}")
    # Only a complete program ever gets the name that is looked for.
    partial.rename(destination)
    return destination


def _watch(process: subprocess.Popen[bytes], name: str, report: Report) -> None:
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
