"""The objects of manifests/monitoring in the Helm chart."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from sluice_devcluster import binaries
from sluice_manifests.monitoring_templates import ADDRESSES
from sluice_manifests.objects import Manifest, build_kustomization, kind_namespace_and_name
from sluice_manifests.progress import ProgressPrinter
from sluice_manifests.switches import MONITORING_SWITCHES
from sluice_manifests.tools import find_or_build_tools
from support.chart_rendering import CHART, ROOT, rendered

SWITCHED_ON = [f"{each.name}=true" for each in MONITORING_SWITCHES]


@pytest.fixture(scope="module")
def helm() -> Path:
    """The program helm."""
    return find_or_build_tools(ProgressPrinter()).helm


@pytest.fixture(scope="module")
def monitoring() -> list[Manifest]:
    """The objects of manifests/monitoring."""
    return build_kustomization(binaries.provide_binaries(ProgressPrinter()).kubectl, ROOT / "manifests/monitoring")


def added(helm: Path, *values: str) -> list[Manifest]:
    """Return the objects that these values add to the chart."""
    without = rendered(helm)
    return [each for each in rendered(helm, *values) if each not in without]


def test_with_the_addresses_of_the_folder_the_chart_has_its_objects(helm: Path, monitoring: list[Manifest]) -> None:
    addresses = [f"{value}={address}" for address, value in ADDRESSES.items()]
    found = added(helm, *SWITCHED_ON, *addresses)
    assert sorted(found, key=kind_namespace_and_name) == sorted(monitoring, key=kind_namespace_and_name)


@pytest.mark.parametrize("switch", MONITORING_SWITCHES, ids=lambda switch: switch.name)
def test_each_switch_adds_the_objects_of_its_kinds_and_is_off_by_default(
    switch: object, helm: Path, monitoring: list[Manifest]
) -> None:
    [given] = [each for each in MONITORING_SWITCHES if each is switch]
    found = added(helm, f"{given.name}=true")
    wanted = [each for each in monitoring if each["kind"] in given.kinds]
    assert sorted(map(kind_namespace_and_name, found)) == sorted(map(kind_namespace_and_name, wanted))
    assert f"| `{given.name}` | `false` |" in (CHART / "README.md").read_text()


def test_extra_labels_are_added_to_each_object_and_change_nothing_else(helm: Path) -> None:
    plain = added(helm, *SWITCHED_ON)
    labelled = added(helm, *SWITCHED_ON, "monitoring.extraLabels.release=prometheus")
    assert len(labelled) == len(plain) == 6
    for before, after in zip(plain, labelled, strict=True):
        expected = copy.deepcopy(before)
        expected["metadata"]["labels"]["release"] = "prometheus"
        assert after == expected


def test_without_addresses_alerts_have_no_links(helm: Path) -> None:
    [alerts] = [each for each in added(helm, *SWITCHED_ON) if each["metadata"]["name"] == "sluice-alerts"]
    rules = [rule for group in alerts["spec"]["groups"] for rule in group["rules"]]
    assert {frozenset(each["annotations"]) for each in rules} == {frozenset({"summary", "description"})}


def test_an_address_begins_each_link(helm: Path) -> None:
    values = ["monitoring.pageURL=https://feeds.acme.dev/sluice", "monitoring.runbookURL=https://git.acme.dev/runbooks"]
    [alerts] = [each for each in added(helm, *SWITCHED_ON, *values) if each["metadata"]["name"] == "sluice-alerts"]
    rules = [rule for group in alerts["spec"]["groups"] for rule in group["rules"]]
    assert len(rules) >= 18
    for each in rules:
        assert each["annotations"]["page_url"].startswith("https://feeds.acme.dev/sluice/")
        assert each["annotations"]["runbook_url"] == f"https://git.acme.dev/runbooks/{each['alert']}.md"
