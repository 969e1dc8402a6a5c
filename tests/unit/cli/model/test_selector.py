import pytest

from sluice_cli.model.selector import Requirement, parse_selector, selector_document, selector_of_document, selects


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("desk=rates", Requirement("desk", "In", ("rates",))),
        ("desk==rates", Requirement("desk", "In", ("rates",))),
        ("desk!=rates", Requirement("desk", "NotIn", ("rates",))),
        ("example.com/desk in (b, a)", Requirement("example.com/desk", "In", ("a", "b"))),
        ("desk notin (a)", Requirement("desk", "NotIn", ("a",))),
        ("desk", Requirement("desk", "Exists")),
        ("!desk", Requirement("desk", "DoesNotExist")),
        ("desk=", Requirement("desk", "In", ("",))),
    ],
)
def test_a_selector_has_the_form_of_kubectl(text: str, expected: Requirement) -> None:
    assert parse_selector(text) == {expected}


@pytest.mark.parametrize("text", ["", "desk in rates", "=a", "desk in (a", "a b", ","])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it like desk=rates,tier in"):
        parse_selector(text)


def test_a_selector_survives_its_form_in_a_document() -> None:
    found = parse_selector("desk=rates,tier in (a,b),!test,x!=1,y")
    document = selector_document(found)
    assert document["matchLabels"] == {"desk": "rates"}
    assert {"key": "test", "operator": "DoesNotExist"} in document["matchExpressions"]
    assert selector_of_document(document) == found
    assert selector_document(frozenset()) == {}


def test_two_values_of_one_label_are_both_required() -> None:
    found = parse_selector("desk=a,desk=b")
    assert selector_of_document(selector_document(found)) == found
    assert not selects(found, {"desk": "a"})


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("desk=rates", {"desk": "rates"}, True),
        ("desk=rates", {}, False),
        ("desk!=rates", {}, True),
        ("desk in (a,b),tier", {"desk": "b", "tier": ""}, True),
        ("desk notin (a)", {"desk": "a"}, False),
        ("!desk", {"desk": ""}, False),
    ],
)
def test_labels_are_matched_as_the_api_server_does(text: str, labels: dict[str, str], expected: bool) -> None:
    assert selects(parse_selector(text), labels) is expected
