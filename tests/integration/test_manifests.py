"""The installed objects: base, overlays, samples and the chart, against a real API server and their own schemas."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from sluice_contract.kinds import KINDS
from sluice_devcluster import binaries
from sluice_devcluster.kubectl import Kubectl, KubectlError
from sluice_devcluster.quickstart import Quickstart
from sluice_manifests import release, schemas
from sluice_manifests.catalog import read_chart_annotations
from sluice_manifests.chart import build_components, chart_files
from sluice_manifests.errors import ManifestsError
from sluice_manifests.objects import Manifest, build_kustomization, kind_namespace_and_name, parse_objects
from sluice_manifests.progress import ProgressPrinter
from sluice_manifests.switches import COMPONENT_SWITCHES, KIND_SWITCHES, ComponentSwitch
from sluice_manifests.templates import KEEP
from sluice_manifests.tools import ToolPaths, find_or_build_tools, run_and_return_output
from support.chart_rendering import CHART, NAMESPACE, ROOT, rendered
from support.chart_values import DIGEST, OTHER_VALUES
from support.site import eventually

MANIFESTS = ROOT / "manifests"
# Kinds of the Prometheus operator, which a cluster does not have by itself.
MONITORING_DEFINITIONS = ROOT / "tests/support/monitoring_definitions.yaml"
DEFINITIONS = [("CustomResourceDefinition", "", f"{kind.plural}.sluice.dev") for kind in KINDS]

# Of the components, only those that a value of the chart adds can be built without a base.
FOLDERS = [
    *(path.parent for path in sorted(MANIFESTS.rglob("kustomization.yaml")) if "components" not in path.parts),
    *(MANIFESTS / "components" / each.component for each in COMPONENT_SWITCHES),
]
SAMPLES = sorted([*(MANIFESTS / "samples").glob("*.yaml"), *(MANIFESTS / "samples/stop-button").glob("*.yaml")])
SOURCES = [str(path.relative_to(ROOT)) for path in (*FOLDERS, *SAMPLES, CHART)]

BAD_VALUES = {
    "replicas=0": "at '/replicas': minimum: got 0, want 1",
    "replicas=two": "at '/replicas': got string, want integer",
    "replica=2": "additional properties 'replica' not allowed",
    "image.tga=1": "at '/image': additional properties 'tga' not allowed",
    "image.digest=0123": "at '/image/digest': '0123' does not match pattern",
    "providerHosts={a b}": "at '/providerHosts/0': 'a b' does not match pattern",
    "providerHosts=a.example": "at '/providerHosts': got string, want array",
    "podUserID=1000": "at '/podUserID': value must be one of '', 'platform'",
    "requirePolicies=never": "at '/requirePolicies': got string, want boolean",
    "logLevel=LOUD": "at '/logLevel': value must be one of",
    "watchNamespaces={Acme}": "at '/watchNamespaces/0': 'Acme' does not match pattern",
    "firestoreEmulatorHost=emulator": "at '/firestoreEmulatorHost': 'emulator' does not match pattern",
    "firestoreEmulatorHost=https://emulator:8080": "does not match pattern",
    "podProxy.httpsProxy=socks5://proxy:1080": "at '/podProxy/httpsProxy': 'socks5://proxy:1080' does not match",
    "networkPolicies.enabled=no": "at '/networkPolicies/enabled': got string, want boolean",
    "labelledSecrets=yes": "at '/labelledSecrets': got string, want boolean",
    "monitoring.rules=yes": "at '/monitoring/rules': got string, want boolean",
    "monitoring.pageURL=host": "at '/monitoring/pageURL': 'host' does not match pattern",
    "monitoring.runbookURL=https://host/": "does not match pattern",
}


@pytest.fixture(scope="session")
def programs() -> ToolPaths:
    """The programs helm and kubeconform."""
    return find_or_build_tools(ProgressPrinter())


@pytest.fixture(scope="session")
def kubectl_program() -> Path:
    """kubectl without a cluster."""
    return binaries.provide_binaries(ProgressPrinter()).kubectl


def objects_of(source: str, kubectl: Path, helm: Path) -> list[Manifest]:
    """Return the objects of a kustomization, of a file, or of the chart."""
    path = ROOT / source
    if path == CHART:
        return rendered(helm)
    return build_kustomization(kubectl, path) if path.is_dir() else parse_objects(path.read_text())


@pytest.fixture(scope="session")
def everything(programs: ToolPaths, kubectl_program: Path) -> dict[str, list[Manifest]]:
    """All objects, by their source."""
    return {source: objects_of(source, kubectl_program, programs.helm) for source in SOURCES}


@pytest.fixture(scope="module")
def namespaces(kubectl: Kubectl, everything: dict[str, list[Manifest]]) -> Iterator[None]:
    """Create the namespaces of all objects, without which the API server rejects even a dry run."""
    there = {each["metadata"]["name"] for each in kubectl.get("namespaces")["items"]}
    wanted = {each["metadata"].get("namespace") for objects in everything.values() for each in objects}
    missing = sorted(name for name in wanted - there if name)
    for name in missing:
        kubectl("create", "namespace", name)
        kubectl("label", "namespace", name, f"sluice.dev/tenant={name}")
    yield
    for name in missing:
        kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def kubectl(site: Quickstart) -> Iterator[Kubectl]:
    """kubectl as the cluster's administrator. The cluster has the kinds of the Prometheus operator."""
    site.kubectl("apply", "-f", str(MONITORING_DEFINITIONS))
    eventually(lambda: publishes_monitoring(site.kubectl))
    yield site.kubectl
    site.kubectl("delete", "-f", str(MONITORING_DEFINITIONS), "--wait=false")


def publishes_monitoring(kubectl: Kubectl) -> bool:
    """Return whether the API server publishes the schemas of the Prometheus operator's kinds."""
    try:
        text = kubectl("get", "--raw", schemas.open_api_path("monitoring.coreos.com/v1"))
    except KubectlError:  # it is not published yet
        return False
    return "PodMonitor" in text and "PrometheusRule" in text


@pytest.fixture(scope="module")
def location(kubectl: Kubectl, everything: dict[str, list[Manifest]]) -> str:
    """Return the location of the schemas of all kinds in use, as the API server publishes them."""
    kinds = {(each["apiVersion"], each["kind"]) for objects in everything.values() for each in objects}
    documents = {
        version: json.loads(kubectl("get", "--raw", schemas.open_api_path(version))) for version, _ in sorted(kinds)
    }
    found = {schemas.schema_file_name(*each): schemas.kind_schema(documents[each[0]], *each) for each in kinds}
    return schemas.write_schema_files({name: each for name, each in found.items() if each}, ROOT / "build/schemas")


def conforms(kubeconform: Path, location: str, objects: list[Manifest]) -> subprocess.CompletedProcess[str]:
    """Run kubeconform on the objects."""
    command = [str(kubeconform), "-strict", "-summary", "-schema-location", location]
    text = "\n---\n".join(json.dumps(each) for each in objects)
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("source", SOURCES)
def test_every_object_conforms_to_its_schema(
    source: str, everything: dict[str, list[Manifest]], programs: ToolPaths, location: str
) -> None:
    verdict = conforms(programs.kubeconform, location, everything[source])
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert f"Valid: {len(everything[source])}, Invalid: 0, Errors: 0, Skipped: 0" in verdict.stdout


def test_a_mistyped_field_does_not_conform(
    everything: dict[str, list[Manifest]], programs: ToolPaths, location: str
) -> None:
    [*_, job] = [each for each in everything["manifests/samples/ingestjob.yaml"] if each["kind"] == "IngestJob"]
    broken = {**job, "spec": {**job["spec"], "enabeld": True}}
    verdict = conforms(programs.kubeconform, location, [broken])
    assert verdict.returncode != 0
    assert "enabeld" in verdict.stdout


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("source", SOURCES)
def test_the_api_server_accepts_every_object(
    source: str, everything: dict[str, list[Manifest]], kubectl: Kubectl
) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": everything[source]}
    said = kubectl(
        *("apply", "--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict", "-f", "-"),
        text=json.dumps(items),
    )
    assert said.count("serverside-applied (server dry run)") == len(everything[source])


def test_the_chart_is_generated_from_the_base_and_the_components(kubectl_program: Path) -> None:
    found = {str(path.relative_to(CHART)): path.read_text() for path in CHART.rglob("*") if path.is_file()}
    base = build_kustomization(kubectl_program, MANIFESTS / "base")
    annotations = read_chart_annotations(ROOT, release.version_of_chart(ROOT))
    assert found == chart_files(base, build_components(kubectl_program, ROOT), annotations)


def test_with_default_values_the_chart_is_the_base_object_by_object(everything: dict[str, list[Manifest]]) -> None:
    found = {kind_namespace_and_name(each): each for each in everything["manifests/chart"]}
    wanted = {
        kind_namespace_and_name(each): each for each in everything["manifests/base"] if each["kind"] != "Namespace"
    }
    for name in DEFINITIONS:
        found[name] = copy.deepcopy(found[name])
        assert found[name]["metadata"].pop("annotations") == KEEP
    assert found.keys() == wanted.keys()
    for name, manifest in wanted.items():
        assert found[name] == manifest


@pytest.mark.parametrize("switch", COMPONENT_SWITCHES, ids=lambda switch: switch.name)
@pytest.mark.parametrize("others", ["true", "false"])
def test_the_value_of_a_component_adds_exactly_its_objects(
    others: str, switch: ComponentSwitch, everything: dict[str, list[Manifest]], programs: ToolPaths
) -> None:
    values = [f"{each.name}={others}" for each in KIND_SWITCHES]
    without, found = rendered(programs.helm, *values), rendered(programs.helm, *values, f"{switch.name}=true")
    wanted = [*without, *everything[f"manifests/components/{switch.component}"]]
    assert sorted(found, key=kind_namespace_and_name) == sorted(wanted, key=kind_namespace_and_name)


def test_helm_lint_reports_nothing(programs: ToolPaths) -> None:
    assert "0 chart(s) failed" in run_and_return_output(programs.helm, "lint", "--strict", CHART)


@pytest.mark.parametrize(("value", "sentence"), BAD_VALUES.items())
def test_a_bad_value_is_rejected_with_a_message(value: str, sentence: str, programs: ToolPaths) -> None:
    with pytest.raises(ManifestsError) as refusal:
        rendered(programs.helm, value)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(("value", "text"), OTHER_VALUES.items())
def test_a_value_takes_effect(value: str, text: str, programs: ToolPaths) -> None:
    shown = yaml.safe_dump_all(rendered(programs.helm, value), sort_keys=False)
    assert text in shown


def test_the_platform_s_user_id_leaves_only_the_ids_out(programs: ToolPaths) -> None:
    [with_ids] = [each for each in rendered(programs.helm) if each["kind"] == "Deployment"]
    [without] = [each for each in rendered(programs.helm, "podUserID=platform") if each["kind"] == "Deployment"]
    kept = without["spec"]["template"]["spec"]["securityContext"]
    assert kept == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert with_ids["spec"]["template"]["spec"]["securityContext"] == kept | {"runAsUser": 65532, "runAsGroup": 65532}


def test_every_switch_leaves_its_objects_out(programs: ToolPaths) -> None:
    switches, table = [each.name for each in KIND_SWITCHES], (CHART / "README.md").read_text()
    assert [each for each in switches if f"| `{each}` | `true` |" not in table] == []
    everything = len(rendered(programs.helm))
    for switch in switches:
        assert len(rendered(programs.helm, f"{switch}=false")) < everything, switch


def test_a_chart_in_another_namespace_does_not_mention_the_base_s_namespace(programs: ToolPaths) -> None:
    assert NAMESPACE not in json.dumps(rendered(programs.helm, namespace="elsewhere"))


def test_in_production_both_images_are_the_ones_that_are_set(kubectl_program: Path, tmp_path: Path) -> None:
    for folder in ("crds", "manifests/base", "manifests/overlays/production"):
        for path in (ROOT / folder).glob("*.yaml"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / path.name).write_text(path.read_text())
    target = tmp_path / "manifests/overlays/production/kustomization.yaml"
    head, _, _ = target.read_text().partition("images:")
    images = "".join(
        f"  - {{name: sluice-{each}, newName: r/{each}, digest: {DIGEST}}}\n" for each in ("operator", "runtime")
    )
    target.write_text(f"{head}images:\n{images}")
    text = run_and_return_output(kubectl_program, "kustomize", target.parent)
    assert f"image: r/operator@{DIGEST}" in text
    assert f"value: r/runtime@{DIGEST}" in text


def test_a_release_is_an_install_file_a_chart_boms_a_provenance_and_their_checksums(
    kubectl_program: Path, programs: ToolPaths, tmp_path: Path
) -> None:
    for name in ("manifests", "requirements", "crds", "cli", "base-images.txt", "CHANGELOG.md", "LICENSE"):
        (tmp_path / name).symlink_to(ROOT / name)
    version = release.version_of_chart(ROOT)
    files = release.write_release_files(
        tmp_path,
        version,
        release.Addresses(download_url="https://host/files"),
        release.ReleasePrograms(kubectl_program, programs.helm),
        release.commit_of(ROOT, "https://host/sluice"),
    )
    assert [path.name for path in files] == [
        *(f"sluice-{version}.yaml", f"sluice-{version}.tgz"),
        *(f"{name}_v1alpha1.json" for name in ("clusteringestpause", "ingestjob", "ingestpause", "ingestpolicy")),
        *(f"kubectl-sluice-{version}.tar.gz", "sluice.yaml"),
        *(f"sluice-operator-{version}.cdx.json", f"sluice-runtime-{version}.cdx.json"),
        *(f"sluice-{version}.provenance.json", f"sluice-{version}.sha256"),
    ]
    subprocess.run(["sha256sum", "--check", "--quiet", files[-1].name], cwd=files[-1].parent, check=True)
    assert len(files[-1].read_text().splitlines()) == len(files) - 1
    assert all(JsonStrictValidator(SchemaVersion.V1_6).validate_str(path.read_text()) is None for path in files[8:10])
    assert len(json.loads(files[10].read_text())["subject"]) == 10
    assert all(path.read_bytes() == (ROOT / "crds/schemas" / path.name).read_bytes() for path in files[2:6])
    assert parse_objects(files[0].read_text()) == build_kustomization(kubectl_program, MANIFESTS / "base")
    components = [f"{each.name}=true" for each in COMPONENT_SWITCHES]
    assert rendered(programs.helm, *components, chart=files[1]) == rendered(programs.helm, *components)
