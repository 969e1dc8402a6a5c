from sluice_contract.condition_types import NOTHING_TO_DO, ConditionCatalog, ConditionType, Reason


def test_a_catalog_has_what_was_added_to_it_in_this_order() -> None:
    catalog = ConditionCatalog()
    ready = catalog.add_type("Ready", "normal", "It works.")
    assert catalog.add_type("Stalled", "abnormal", "It does not work.") == "Stalled"
    assert catalog.add_reason("Applied", (ready,), "It is applied.") == "Applied"
    assert list(catalog.types) == ["Ready", "Stalled"]
    assert catalog.types["Ready"] == ConditionType("Ready", "It works.", "normal")
    assert catalog.reasons["Applied"] == Reason("Applied", ("Ready",), "It is applied.", NOTHING_TO_DO)
