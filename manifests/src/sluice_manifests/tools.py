"""helm and kubeconform: built once from pinned Go modules, and cached in the same folder as devcluster's programs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from sluice_manifests.errors import ManifestsError
from sluice_manifests.go_programs import KUBECTL, GoProgram, find_or_build_programs, pinned_version
from sluice_manifests.toolchain import ReportProgress

MODULE = Path(__file__).parents[2] / "tools"
_HELM = "helm.sh/helm/v3"


@dataclass(frozen=True)
class ToolPaths:
    """The paths of helm and kubeconform."""

    helm: Path
    kubeconform: Path


def helm_version_variables(go_mod: str) -> dict[str, str]:
    """Return the linker variables for Helm's version and for the Kubernetes version it assumes without a cluster."""
    major, minor = kubernetes_client_version(go_mod)
    return {
        f"{_HELM}/internal/version.version": pinned_version(go_mod, _HELM),
        **{f"{_HELM}/pkg/{each}.k8sVersionMajor": major for each in ("chartutil", "lint/rules")},
        **{f"{_HELM}/pkg/{each}.k8sVersionMinor": minor for each in ("chartutil", "lint/rules")},
    }


def kubernetes_client_version(go_mod: str) -> tuple[str, str]:
    """Return the major and minor Kubernetes version of client-go in a go.mod: v0.34.4 is ("1", "34")."""
    return "1", pinned_version(go_mod, "k8s.io/client-go").split(".")[1]


HELM = GoProgram("helm", MODULE, f"{_HELM}/cmd/helm", _HELM, helm_version_variables)
KUBECONFORM = GoProgram(
    "kubeconform", MODULE, "github.com/yannh/kubeconform/cmd/kubeconform", "github.com/yannh/kubeconform"
)


def find_or_build_tools(report: ReportProgress) -> ToolPaths:
    """Return the paths of both programs. Build those that are missing, which takes minutes for helm.

    Raises ManifestsError if a build fails or is impossible.
    """
    return ToolPaths(*find_or_build_programs((HELM, KUBECONFORM), report))


def find_or_build_kubectl(report: ReportProgress) -> Path:
    """Return the path of the installed kubectl, or else of one that is built once.

    Raises ManifestsError if the build fails or is impossible.
    """
    return find_or_build_programs((KUBECTL,), report)[0]


def run_and_return_output(*command: str | Path) -> str:
    """Run a command and return its stdout. Raises ManifestsError with its whole output if it fails."""
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(filter(None, (done.stdout.strip(), done.stderr.strip())))
        raise ManifestsError(f"{Path(command[0]).name} {' '.join(map(str, command[1:]))}: {said}")
    return done.stdout
