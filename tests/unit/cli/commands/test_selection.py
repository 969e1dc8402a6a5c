import argparse
from typing import Any

import pytest

from sluice_cli.commands.context import UsageError
from sluice_cli.commands.selection import Selection, selected_jobs, selection_of, unknown_names
from support.fake_kubectl import job


def selection(*names: str, **options: Any) -> Selection:
    given = {"namespace": "", "selector": "", "all_namespaces": False, "all": False} | options
    return selection_of(argparse.Namespace(**given), names)


def test_a_name_can_have_its_namespace_as_the_table_shows_it() -> None:
    found = selection("acme/us", "us")
    assert (found.namespace, found.names, found.scope) == ("acme", ("us",), ["-n", "acme"])


def test_the_scope_is_that_of_kubectl() -> None:
    assert selection().scope == []
    assert selection(all_namespaces=True).scope == ["-A"]
    assert selection(namespace="acme", all_namespaces=True).scope == ["-n", "acme"]


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (("a/x", "b/y"), {}, "one namespace only, not of a and b"),
        (("a/x",), {"namespace": "b"}, "one namespace only"),
        (("x",), {"selector": "a=b"}, "not both"),
        ((), {"selector": "a b"}, "is not a label selector"),
    ],
)
def test_what_does_not_fit_together_is_refused(names: tuple[str, ...], options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        selection(*names, **options)


def test_jobs_are_selected_by_name_or_label() -> None:
    jobs = [job("b"), job("a"), job("a", "beta")]
    names = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in selected_jobs(jobs, selection("a"))]
    assert names == [("acme", "a"), ("beta", "a")]
    assert selected_jobs(jobs, selection(selector="desk=b")) == [jobs[0]]
    assert len(selected_jobs(jobs, selection())) == 3


def test_an_unknown_name_has_a_hint() -> None:
    jobs = [job("us-equities")]
    assert unknown_names(jobs, selection("us-equites")) == [
        "Job us-equites does not exist in namespace acme. Did you mean us-equities?"
    ]
    assert unknown_names(jobs, selection("beta/zzz")) == ["Job zzz does not exist in namespace beta."]
    assert unknown_names([], selection("zzz")) == ["Job zzz does not exist in the namespace of the context."]
    assert unknown_names([], selection("zzz", all_namespaces=True)) == ["Job zzz does not exist in any namespace."]
    assert unknown_names(jobs, selection("us-equities")) == []
