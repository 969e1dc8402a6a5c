"""helm and kubeconform: pinned, built once from their Go modules, and kept beside devcluster's programs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from sluice_manifests.errors import ManifestsError
from sluice_manifests.go_programs import KUBECTL, Program, pinned_version, provide_programs
from sluice_manifests.toolchain import Report

MODULE = Path(__file__).parents[2] / "tools"
_HELM = "helm.sh/helm/v3"


@dataclass(frozen=True)
class Tools:
    """Where the programs are."""

    helm: Path
    kubeconform: Path


def helm_stamps(go_mod: str) -> dict[str, str]:
    """Helm's own version, and the Kubernetes version it takes for granted where no cluster tells one."""
    major, minor = kubernetes_version(go_mod)
    return {
        f"{_HELM}/internal/version.version": pinned_version(go_mod, _HELM),
        **{f"{_HELM}/pkg/{each}.k8sVersionMajor": major for each in ("chartutil", "lint/rules")},
        **{f"{_HELM}/pkg/{each}.k8sVersionMinor": minor for each in ("chartutil", "lint/rules")},
    }


def kubernetes_version(go_mod: str) -> tuple[str, str]:
    """Major and minor version of the Kubernetes whose client a go.mod requires: client-go v0.34.4 is ("1", "34")."""
    return "1", pinned_version(go_mod, "k8s.io/client-go").split(".")[1]


HELM = Program("helm", MODULE, f"{_HELM}/cmd/helm", _HELM, helm_stamps)
KUBECONFORM = Program(
    "kubeconform", MODULE, "github.com/yannh/kubeconform/cmd/kubeconform", "github.com/yannh/kubeconform"
)


def tools(report: Report) -> Tools:
    """Both programs, after building what is missing: minutes for helm, the first time.

    Raises ManifestsError when a build fails or is impossible.
    """
    return Tools(*provide_programs((HELM, KUBECONFORM), report))


def kubectl(report: Report) -> Path:
    """The machine's kubectl, else one that is built once. Raises ManifestsError as `tools` does."""
    return provide_programs((KUBECTL,), report)[0]


def output(*command: str | Path) -> str:
    """What a program prints. Raises ManifestsError with what it says when it fails."""
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(filter(None, (done.stdout.strip(), done.stderr.strip())))
        raise ManifestsError(f"{Path(command[0]).name} {' '.join(map(str, command[1:]))}: {said}")
    return done.stdout
