"""The annotations of Chart.yaml that Artifact Hub shows: kinds, examples, license and changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from sluice_contract import identity
from sluice_contract.kinds import KINDS, ResourceKind
from sluice_contract.type_schema import docstring_on_one_line
from sluice_manifests.errors import ManifestsError
from sluice_manifests.objects import Manifest, dump_yaml, parse_objects

LICENSE: Final = "Apache-2.0"
_PREFIX: Final = "artifacthub.io/"
# The headings of Keep a Changelog are the kinds of changes that Artifact Hub knows.
_CHANGE_KINDS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_LINK: Final = re.compile(r"\[([^]]+)\]\([^)]+\)")


def read_chart_annotations(root: Path, version: str) -> dict[str, str]:
    """Return the annotations of a version's chart, from the samples and the changelog below the project's root.

    Raises ManifestsError if a kind has no sample.
    """
    samples = [each for path in sorted((root / "manifests/samples").glob("*.yaml")) for each in _objects_in(path)]
    return chart_annotations(samples, (root / "CHANGELOG.md").read_text(), version)


def chart_annotations(samples: Sequence[Manifest], changelog: str, version: str) -> dict[str, str]:
    """Return the annotations of a version's chart. Raises ManifestsError if a kind has no sample.

    The changes are those of the version's own section: they are absent until the changelog has one.
    """
    changes = changes_of_version(changelog, version)
    found = {
        "category": "streaming-messaging",
        "crds": dump_yaml([_kind_entry(each) for each in KINDS]),
        "crdsExamples": dump_yaml([_first_sample(each, samples) for each in KINDS]),
        "license": LICENSE,
        "operator": "true",
        "prerelease": "true" if "-" in version else "false",
        **({"changes": dump_yaml(changes)} if changes else {}),
    }
    return {f"{_PREFIX}{name}": text for name, text in found.items()}


def section_of_version(changelog: str, version: str) -> str | None:
    """Return the text below the heading of a version in the changelog; None if it has no such heading."""
    section = re.search(rf"^## {re.escape(version)}(?= |$).*?$(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return section[1] if section else None


def changes_of_version(changelog: str, version: str) -> list[dict[str, str]]:
    """Return the kind and the description of each entry in the changelog's section of a version."""
    found = []
    for part in re.split(r"^### ", section_of_version(changelog, version) or "", flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        if heading.strip() not in _CHANGE_KINDS:
            raise ManifestsError(
                f"CHANGELOG.md has the heading {heading.strip()} in section {version}: use one of "
                + ", ".join(_CHANGE_KINDS)
            )
        entries = re.split(r"^\* ", text, flags=re.MULTILINE)[1:]
        found += [{"kind": heading.strip().lower(), "description": _plain_text(entry)} for entry in entries]
    return found


def _plain_text(entry: str) -> str:
    """Return an entry of the changelog on one line, without links and bold type, which Artifact Hub does not show."""
    return _LINK.sub(r"\1", " ".join(entry.split())).replace("**", "")


def _kind_entry(kind: ResourceKind) -> dict[str, str]:
    return {
        "kind": kind.name,
        "version": identity.VERSION,
        "name": f"{kind.plural}.{identity.GROUP}",
        "displayName": " ".join(re.findall("[A-Z][a-z]+", kind.name)),
        "description": docstring_on_one_line(kind.object_type.__doc__),
    }


def _first_sample(kind: ResourceKind, samples: Iterable[Mapping[str, object]]) -> Mapping[str, object]:
    for each in samples:
        if each["kind"] == kind.name:
            return each
    raise ManifestsError(f"manifests/samples has no {kind.name}: add one (the chart shows it as an example)")


def _objects_in(path: Path) -> list[Manifest]:
    return parse_objects(path.read_text())
