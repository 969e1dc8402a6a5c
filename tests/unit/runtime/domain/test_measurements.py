from sluice_runtime.domain.measurements import Measurements
from support.virtual_time import START


def test_requests_are_measured_by_kind() -> None:
    measurements = Measurements()
    measurements.record_request("reads", 0.2)
    measurements.record_request("writes", 0.3)
    measurements.record_request("writes", 0.4)
    assert {kind: each.value_count for kind, each in measurements.store_requests.items()} == {
        "reads": 1,
        "writes": 2,
        "deletes": 0,
    }


def test_each_process_measures_for_itself() -> None:
    first, second = Measurements(), Measurements()
    first.record_request("reads", 0.2)
    first.record_heartbeat(START)
    assert (second.store_requests["reads"].value_count, second.heartbeat_at) == (0, None)
    assert first.heartbeat_at == START
