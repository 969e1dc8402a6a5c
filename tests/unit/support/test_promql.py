"""What an expression in PromQL names."""

from __future__ import annotations

import pytest

from support.promql import metric_and_matchers, names_in


@pytest.mark.parametrize(
    ("expression", "selectors", "labels"),
    [
        ("up", {"up"}, set()),
        ("sum by (a, b) (rate(x_total[5m])) > 0.05", {"x_total"}, {"a", "b"}),
        ('x{a="b c"} unless on (a) y{d=~"e|f"} == 1', {'x{a="b c"}', 'y{d=~"e|f"}'}, {"a"}),
        ("count(changes(max by (n) (x)[10m:1m]) > 0) or vector(0)", {"x"}, {"n"}),
        ("a:b:c <= bool 0.01 * (time() - z)", {"a:b:c", "z"}, set()),
        (
            'max by (name, pod) (label_replace(increase(x{c="i"}[30m]), "name", "$1", "pod", "(.+)-ingest")) > 2',
            {'x{c="i"}'},
            {"pod"},
        ),
    ],
)
def test_selectors_and_labels(expression: str, selectors: set[str], labels: set[str]) -> None:
    found = names_in(expression)
    assert (set(found.selectors), set(found.labels)) == (selectors, labels)


def test_the_matchers_of_a_selector() -> None:
    assert metric_and_matchers('x{a="b",c=~"d|e"}') == ("x", {"a": "b", "c": "d|e"})
    assert metric_and_matchers("x") == ("x", {})
