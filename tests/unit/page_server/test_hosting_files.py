"""The files with which others host the page: Firebase Hosting, and the manifests for Kubernetes."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from sluice_page_server.config import PageConfig
from sluice_page_server.headers import ASK_EACH_TIME, KEEP_FOREVER, security_headers

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "dashboard"
ANY_PROJECT = PageConfig({}, auth_domain="*.firebaseapp.com")


def hosting_headers(source: str) -> dict[str, str]:
    """Return the headers in dashboard/firebase.json for a pattern of paths."""
    hosting = json.loads((DASHBOARD / "firebase.json").read_text())["hosting"]
    [found] = [each["headers"] for each in hosting["headers"] if each["source"] == source]
    return {each["key"]: each["value"] for each in found}


def test_firebase_hosting_sends_the_headers_of_the_page_server() -> None:
    assert hosting_headers("**") == security_headers(ANY_PROJECT) | {"Cache-Control": ASK_EACH_TIME}
    assert hosting_headers("/assets/**") == {"Cache-Control": KEEP_FOREVER}


def test_the_manifests_contain_the_example() -> None:
    assert (ROOT / "manifests/dashboard/config.json").read_text() == (DASHBOARD / "config.example.json").read_text()


def test_the_deployment_starts_the_image_s_own_command() -> None:
    deployment = yaml.safe_load((ROOT / "manifests/dashboard/deployment.yaml").read_text())
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    [command] = [line for line in (DASHBOARD / "Dockerfile").read_text().splitlines() if line.startswith("CMD ")]
    assert [*container["command"], *container["args"]] == json.loads(command.removeprefix("CMD "))


def test_the_page_is_built_where_it_is_hosted_from() -> None:
    assert json.loads((DASHBOARD / "firebase.json").read_text())["hosting"]["public"] == "build/page"
    assert "PAGE := dashboard/build/page" in (ROOT / "Makefile").read_text()
    assert "COPY dashboard/build/page /page" in (DASHBOARD / "Dockerfile").read_text()
