"""A release: what has to be true before it, and the files that it consists of."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from sluice_manifests import chart
from sluice_manifests.errors import ManifestsError
from sluice_manifests.objects import parsed
from sluice_manifests.tools import output

FOLDER = Path("build/release")
_VERSION = re.compile(r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$")

# Every place that names the version, as the pattern that finds it there.
PLACES = {
    **{f"{each}/pyproject.toml": r'^version = "([^"]+)"' for each in ("crds", "operator", "runtime", "manifests")},
    "operator/src/sluice_operator/settings.py": r'"sluice-runtime:([^"]+)"',
    "manifests/base/operator-deployment.yaml": r"sluice-(?:operator|runtime):(\S+)",
    "manifests/overlays/production/kustomization.yaml": r'newTag: "([^"]+)"',
    "manifests/chart/Chart.yaml": r"^(?:appV|v)ersion: (\S+)",
}


def check(root: Path, version: str) -> None:
    """Raises ManifestsError with everything that keeps the release back, a line each."""
    if not _VERSION.match(version):
        raise ManifestsError(f"VERSION={version} is no version: it has the form 1.2.3 or 1.2.3-rc.1")
    texts = {path: (root / path).read_text() for path in PLACES}
    problems = [
        *uncommitted(output("git", "-C", root, "status", "--porcelain")),
        *disagreements(texts, version),
        *silence((root / "CHANGELOG.md").read_text(), version),
    ]
    if problems:
        raise ManifestsError("\n".join([f"{version} cannot be released:", *(f"  {each}" for each in problems)]))


def uncommitted(status: str) -> list[str]:
    """What is wrong by `git status --porcelain`."""
    changed = [line[3:] for line in status.splitlines()]
    return [f"not committed: {', '.join(changed[:5])}{' ...' if changed[5:] else ''}"] if changed else []


def disagreements(texts: dict[str, str], version: str) -> list[str]:
    """The files that name another version, or none."""
    problems = []
    for path, text in texts.items():
        found = sorted(set(re.findall(PLACES[path], text, re.MULTILINE)))
        if found != [version]:
            problems.append(f"{path} says {' and '.join(found) or 'no version'}")
    return problems


def silence(changelog: str, version: str) -> list[str]:
    """What is wrong with the changelog: no section of the version, or one without an entry."""
    section = re.search(rf"^## {re.escape(version)}\b.*?$(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if section is None:
        return [f"CHANGELOG.md has no section: ## {version}"]
    return [] if re.search(r"^\* ", section[1], re.MULTILINE) else [f"CHANGELOG.md says nothing about {version}"]


def write(root: Path, version: str, repository: str, programs: tuple[Path, Path]) -> list[Path]:
    """Writes the install YAML, the packaged chart and their checksums; returns their paths.

    `repository` is where the images are pulled from, empty for their bare names; `programs` are kubectl and helm.
    Raises ManifestsError when one of them fails.
    """
    kubectl, helm = programs
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    text = pulled_from(repository, output(kubectl, "kustomize", root / "manifests/base"))
    install, packed = folder / f"sluice-{version}.yaml", folder / f"sluice-{version}.tgz"
    install.write_text(f"# Sluice {version}: kubectl apply --server-side -f\n{text}")
    with TemporaryDirectory() as made:
        chart.write(chart.chart(parsed(text)), Path(made) / "sluice")
        output(helm, "package", Path(made) / "sluice", "--destination", folder)
    sums = folder / f"sluice-{version}.sha256"
    sums.write_text("".join(f"{sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in (install, packed)))
    return [install, packed, sums]


def pulled_from(repository: str, text: str) -> str:
    """Manifests with both images in a repository.

    >>> pulled_from("host/team", "image: sluice-operator:0.1.0")
    'image: host/team/sluice-operator:0.1.0'
    """
    prefix = repository.rstrip("/") + "/" if repository else ""
    return re.sub(r"(?<![\w/-])(sluice-(?:operator|runtime):\S+)", rf"{prefix}\1", text)


def version_of(root: Path) -> str:
    """The version that the tree has now, by its chart."""
    return str(yaml.safe_load((root / "manifests/chart/Chart.yaml").read_text())["version"])
