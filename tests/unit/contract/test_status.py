from sluice_contract.status import OPERATOR_FIELDS, RUNTIME_FIELDS, IngestJobStatus


def test_each_field_of_the_status_has_exactly_one_writer() -> None:
    assert OPERATOR_FIELDS.isdisjoint(RUNTIME_FIELDS)
    assert set(IngestJobStatus.__struct_fields__) == OPERATOR_FIELDS | RUNTIME_FIELDS


def test_a_new_job_has_an_empty_status() -> None:
    status = IngestJobStatus()
    assert {getattr(status, name) for name in status.__struct_fields__ if name != "conditions"} == {None}
    assert status.conditions == []
