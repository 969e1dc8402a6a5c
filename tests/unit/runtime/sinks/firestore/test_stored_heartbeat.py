from sluice_runtime.sinks.firestore.connection import StoredDocument
from sluice_runtime.sinks.firestore.stored_heartbeat import HEARTBEAT_FIELDS, stored_heartbeat
from support.sinks import heartbeat


def test_what_the_runtime_writes_is_read() -> None:
    fields = heartbeat("uid", 7, cluster="east").document_fields()
    found = stored_heartbeat(StoredDocument("name", {name: fields[name] for name in HEARTBEAT_FIELDS}, None, 4.5))
    assert (found.job, found.job_uid, found.cluster, found.epoch) == ("acme/us", "uid", "east", 7)
    assert (found.status, found.interval_seconds, found.age_seconds) == ("running", 15.0, 4.5)


def test_a_value_of_another_type_counts_as_missing() -> None:
    wrong = {"job": 1, "job_uid": "", "cluster": [], "epoch": "7", "status": {}, "heartbeat_interval_ms": 0}
    found = stored_heartbeat(StoredDocument("name", wrong, None, 0.0))
    assert (found.job, found.job_uid, found.cluster, found.epoch) == (None, None, None, None)
    assert (found.status, found.interval_seconds) == (None, None)


def test_the_documents_of_a_day_are_read_and_another_type_counts_as_missing() -> None:
    fields = {"writes_day": "2026-11-28", "writes_used": 1234}
    found = stored_heartbeat(StoredDocument("name", fields, None, 0.0))
    assert (found.writes_day, found.writes_used) == ("2026-11-28", 1234)
    wrong = stored_heartbeat(StoredDocument("name", {"writes_day": 7, "writes_used": 1.5}, None, 0.0))
    assert (wrong.writes_day, wrong.writes_used) == (None, None)
