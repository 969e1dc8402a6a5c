"""The API server accepts each example of docs/ingestjob.md, as a server-side dry run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from sluice_contract.spec import Provider
from sluice_devcluster.quickstart import Quickstart
from support.strict_create import StrictCreator

PAGE = (Path(__file__).parents[2] / "docs/ingestjob.md").read_text()
EXAMPLES = dict(re.findall(r"^Provider (\w+):\n\n```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def refusals(site: Quickstart) -> dict[str, str]:
    labels = {"sluice.dev/tenant": "acme"}
    site.kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "acme", "labels": labels}}])
    creator = StrictCreator(site.kubeconfig, "/apis/sluice.dev/v1alpha1/namespaces/acme/ingestjobs")
    return creator.refusals(EXAMPLES.values())


def test_the_page_has_an_example_of_each_provider() -> None:
    assert EXAMPLES.keys() == set(get_args(Provider))


@pytest.mark.parametrize("provider", get_args(Provider))
def test_the_api_server_accepts_the_example(provider: str, refusals: dict[str, str]) -> None:
    assert refusals[EXAMPLES[provider]] == ""
