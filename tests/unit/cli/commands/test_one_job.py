from __future__ import annotations

import argparse

from sluice_cli.commands.one_job import OneJob, read_one_job
from support.fake_kubectl import Console, FakeKubectl, job, pause


def read(name: str, *denied: str, has_pauses: bool = True) -> tuple[OneJob | None, Console]:
    console = Console(FakeKubectl(job(), job("us-equities", "beta"), pause(), denied=denied))
    options = argparse.Namespace(job=name, namespace="")
    return read_one_job(options, console.context, has_pauses=has_pauses), console


def test_the_job_of_the_namespace_is_read_with_its_pauses() -> None:
    found, _ = read("beta/us-equities")
    assert found is not None
    assert found.document["metadata"]["namespace"] == "beta"
    assert set(found.pauses.by_kind) == {"IngestPause", "ClusterIngestPause"}
    alone, _ = read("us-equities", has_pauses=False)
    assert alone is not None
    assert alone.pauses.by_kind == {}


def test_what_could_not_be_read_is_kept() -> None:
    found, _ = read("us-equities", "list ingestpauses")
    assert found is not None
    assert [each.what for each in found.unseen] == ["IngestPauses"]


def test_a_job_that_does_not_exist_is_said() -> None:
    found, console = read("us-equites")
    assert found is None
    assert console.errors == "Job us-equites does not exist in namespace acme. Did you mean us-equities?\n"
