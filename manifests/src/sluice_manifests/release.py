"""A release: the checks before it, and the files that it consists of."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from sluice_manifests import base_images, chart, krew
from sluice_manifests.base_images import BaseImage, read_base_images
from sluice_manifests.bills_of_materials import ImageContents, bill_of_materials, pins
from sluice_manifests.catalog import read_chart_annotations, section_of_version
from sluice_manifests.errors import ManifestsError
from sluice_manifests.objects import parse_objects
from sluice_manifests.provenance import Source, provenance
from sluice_manifests.tools import run_and_return_output

FOLDER = Path("build/release")
# The images of a release, with the packages of this repository that each contains.
IMAGES = {
    "operator": ("sluice-contract", "sluice-operator"),
    "runtime": ("sluice-contract", "sluice-relay", "sluice-runtime"),
}
_VERSION = re.compile(r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$")

# Every file that contains the version, with the pattern that matches the version in it.
PLACES = {
    **{
        f"{each}/pyproject.toml": r'^version = "([^"]+)"'
        for each in ("crds", "operator", "relay", "runtime", "manifests")
    },
    "dashboard/server/pyproject.toml": r'^version = "([^"]+)"',
    "cli/src/sluice_cli/__init__.py": r'^VERSION = "([^"]+)"',
    "manifests/dashboard/kustomization.yaml": r'newTag: "([^"]+)"',
    "operator/src/sluice_operator/settings.py": r'"sluice-runtime:([^"]+)"',
    "manifests/base/operator-deployment.yaml": r"sluice-(?:operator|runtime):(\S+)",
    "manifests/overlays/production/kustomization.yaml": r'newTag: "([^"]+)"',
    "manifests/chart/Chart.yaml": r"^(?:appV|v)ersion: (\S+)",
}


def check_release(root: Path, version: str) -> None:
    """Check that the version can be released. Raises ManifestsError with one line for each problem."""
    if not _VERSION.match(version):
        raise ManifestsError(f"VERSION={version} is not a version: write it like 1.2.3 or 1.2.3-rc.1")
    texts = {path: (root / path).read_text() for path in PLACES}
    problems = [
        *uncommitted_file_problems(run_and_return_output("git", "-C", root, "status", "--porcelain")),
        *version_problems(texts, version),
        *changelog_problems((root / "CHANGELOG.md").read_text(), version),
    ]
    if problems:
        raise ManifestsError("\n".join([f"{version} cannot be released:", *(f"  {each}" for each in problems)]))


def uncommitted_file_problems(status: str) -> list[str]:
    """Return a problem that names the first uncommitted files in the output of `git status --porcelain`, if any."""
    changed = [line[3:] for line in status.splitlines()]
    return [f"not committed: {', '.join(changed[:5])}{' ...' if changed[5:] else ''}"] if changed else []


def version_problems(texts: dict[str, str], version: str) -> list[str]:
    """Return a problem for each file that contains another version than this one, or contains no version."""
    problems = []
    for path, text in texts.items():
        found = sorted(set(re.findall(PLACES[path], text, re.MULTILINE)))
        if found != [version]:
            problems.append(f"{path} contains {' and '.join(f'version {each}' for each in found) or 'no version'}")
    return problems


def changelog_problems(changelog: str, version: str) -> list[str]:
    """Return a problem if the changelog has no section for the version, or if the section has no entry."""
    section = section_of_version(changelog, version)
    if section is None:
        return [f"CHANGELOG.md has no section of the version: add ## {version}"]
    return (
        []
        if re.search(r"^\* ", section, re.MULTILINE)
        else [f"CHANGELOG.md has no entry in section {version}: add one"]
    )


@dataclass(frozen=True)
class ReleasePrograms:
    """The paths of the programs that make a release."""

    kubectl: Path
    helm: Path


@dataclass(frozen=True)
class Addresses:
    """Where a release is published.

    `repository` is the registry and path to pull the images from; if it is empty, images have only their names.
    `download_url` is the folder of the files; if it is empty, krew cannot install the plugin, and has no manifest.
    """

    repository: str = ""
    download_url: str = ""


def write_release_files(
    root: Path, version: str, addresses: Addresses, programs: ReleasePrograms, source: Source
) -> list[Path]:
    """Write install YAML, chart, JSON Schemas, plugin, the SBOM of each image, provenance, and checksums of all.

    Return their paths. Nothing is read from a network. Raises ManifestsError if a program fails.
    """
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    text = with_image_repository(
        addresses.repository, run_and_return_output(programs.kubectl, "kustomize", root / "manifests/base")
    )
    install, packed = folder / f"sluice-{version}.yaml", folder / f"sluice-{version}.tgz"
    install.write_text(f"# Sluice {version}: kubectl apply --server-side -f\n{text}")
    with TemporaryDirectory() as made:
        components = chart.build_components(programs.kubectl, root)
        annotations = read_chart_annotations(root, version)
        made_chart = chart.chart_files(parse_objects(text), components, annotations)
        chart.replace_folder_with_chart(made_chart, Path(made) / "sluice")
        run_and_return_output(programs.helm, "package", Path(made) / "sluice", "--destination", folder)
    images = read_base_images(root)
    files = [install, packed, *_copy_json_schemas(root), *_write_plugin(root, version, addresses, source)]
    files += _write_bills_of_materials(root, version, source, images[base_images.PYTHON])
    files.append(_write_provenance(root, version, source, files, list(images.values())))
    sums = folder / f"sluice-{version}.sha256"
    sums.write_text("".join(f"{sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files))
    return [*files, sums]


def commit_of(root: Path, repository: str) -> Source:
    """Return the commit that is checked out. `repository` is its URL, or unknown. Raises ManifestsError without git."""
    commit, committed_at = run_and_return_output("git", "-C", root, "show", "-s", "--format=%H %cI", "HEAD").split()
    return Source(repository, commit, datetime.fromisoformat(committed_at).astimezone(UTC))


def _copy_json_schemas(root: Path) -> list[Path]:
    """Copy the JSON Schemas of the kinds to the release. Their names have no version, so a URL of them is stable."""
    sources = sorted((root / "crds/schemas").glob("*.json"))
    return [Path(shutil.copy(each, root / FOLDER / each.name)) for each in sources]


def _write_plugin(root: Path, version: str, addresses: Addresses, source: Source) -> list[Path]:
    """Write the archive of kubectl sluice, and its manifest for krew if there is a URL to download it from."""
    archive = krew.write_plugin_archive(root, version, root / FOLDER)
    if not addresses.download_url:
        return [archive]
    return [archive, krew.write_krew_manifest(archive, version, addresses.download_url, source.repository)]


def _write_bills_of_materials(root: Path, version: str, source: Source, base: BaseImage) -> list[Path]:
    paths = []
    for name, projects in IMAGES.items():
        packages = pins((root / f"requirements/{name}.txt").read_text())
        contents = ImageContents(f"sluice-{name}", version, base, projects, packages)
        paths.append(root / FOLDER / f"sluice-{name}-{version}.cdx.json")
        paths[-1].write_text(bill_of_materials(contents, source.committed_at))
    return paths


def _write_provenance(root: Path, version: str, source: Source, files: list[Path], images: list[BaseImage]) -> Path:
    materials = [base_images.FILE, "requirements/build.txt", *(f"requirements/{name}.txt" for name in IMAGES)]
    path = root / FOLDER / f"sluice-{version}.provenance.json"
    path.write_text(
        provenance(files, version, source, images, {each: (root / each).read_bytes() for each in materials})
    )
    return path


def with_image_repository(repository: str, text: str) -> str:
    """Return the manifests with the repository in front of the names of both images.

    >>> with_image_repository("host/team", "image: sluice-operator:0.1.0")
    'image: host/team/sluice-operator:0.1.0'
    """
    prefix = repository.rstrip("/") + "/" if repository else ""
    return re.sub(r"(?<![\w/-])(sluice-(?:operator|runtime):\S+)", rf"{prefix}\1", text)


def version_of_chart(root: Path) -> str:
    """Return the current version, as it is in Chart.yaml."""
    return str(yaml.safe_load((root / "manifests/chart/Chart.yaml").read_text())["version"])
