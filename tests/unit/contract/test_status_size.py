from datetime import UTC, datetime

import msgspec

from sluice_contract.conditions import ORDER
from sluice_contract.job_policy import JobPolicy
from sluice_contract.lenient import decode_readable_fields
from sluice_contract.pause_status import PauseSource, StreamPause
from sluice_contract.schema import open_api_schema
from sluice_contract.status import Condition, IngestJobStatus, StreamStatus
from sluice_contract.status_size import STATUS_BYTES, STREAM_BYTES, fit_operator_status, fit_stream_status
from sluice_contract.stream_parts import StateChange, WriteBudget
from sluice_contract.symbol_counts import SymbolRejection
from support.overlong_values import broken_bounds, overlong_struct

STATUS_SCHEMA = open_api_schema()["properties"]["status"]

BARE = decode_readable_fields({}, StreamStatus)


def with_rejections(message: str) -> StreamStatus:
    rejections = [SymbolRejection(symbol="SYMBOL", code=400, message=message)] * 20
    return msgspec.structs.replace(BARE, symbols=msgspec.structs.replace(BARE.symbols, rejections=rejections))


def test_a_status_that_fits_is_not_changed() -> None:
    status = with_rejections("symbol limit exceeded")
    assert fit_stream_status(status) is status


def test_a_status_that_is_too_large_keeps_all_names_and_the_begin_of_each_text() -> None:
    fitted = fit_stream_status(with_rejections("m" * 3000))
    assert len(msgspec.json.encode(fitted)) <= STREAM_BYTES
    assert {each.symbol for each in fitted.symbols.rejections} == {"SYMBOL"}
    assert len(fitted.symbols.rejections) == 20
    assert fitted.symbols.rejections[0].message.startswith("mmmm")
    assert fitted.symbols.rejections[0].message.endswith("…")


def test_texts_in_lists_are_cut_before_the_others() -> None:
    status = msgspec.structs.replace(with_rejections("m" * 3000), spec_problem="p" * 500)
    assert fit_stream_status(status).spec_problem == "p" * 500


def test_a_text_that_conditions_repeat_counts_several_times() -> None:
    status = msgspec.structs.replace(with_rejections("m" * 200), spec_problem="p" * 1000)
    assert len(msgspec.json.encode(status)) < STREAM_BYTES
    fitted = fit_stream_status(status)
    assert fitted.spec_problem is not None
    assert len(fitted.spec_problem) < 1000


def test_a_long_text_alone_is_not_cut() -> None:
    status = msgspec.structs.replace(BARE, spec_problem="p" * 1000)
    assert fit_stream_status(status) is status


def test_each_field_of_a_report_that_is_beyond_its_bound_is_cut_to_it() -> None:
    status = overlong_struct(StreamStatus)
    schema = STATUS_SCHEMA["properties"]["stream"]
    assert len(list(broken_bounds(schema, msgspec.to_builtins(status), "stream"))) > 250
    fitted = fit_stream_status(status)
    assert list(broken_bounds(schema, msgspec.to_builtins(fitted), "stream")) == []


def test_each_field_of_the_operator_that_is_beyond_its_bound_is_cut_to_it() -> None:
    status = msgspec.structs.replace(overlong_struct(IngestJobStatus), stream=None)
    assert len(list(broken_bounds(STATUS_SCHEMA, msgspec.to_builtins(status), "status"))) > 100
    fitted = fit_operator_status(status, None)
    assert list(broken_bounds(STATUS_SCHEMA, msgspec.to_builtins(fitted), "status")) == []


def with_messages(message: str) -> IngestJobStatus:
    condition = msgspec.structs.replace(decode_readable_fields({}, Condition), type="Ready", message=message)
    return IngestJobStatus(conditions=[condition] * 8)


def test_conditions_that_fit_beside_the_report_are_not_changed() -> None:
    status = with_messages("m" * 500)
    assert fit_operator_status(status, None) == status


def test_the_texts_of_other_programs_in_conditions_leave_the_whole_status_within_10_kb() -> None:
    stream = fit_stream_status(with_rejections("m" * 3000))
    for report in (None, stream):
        fitted = fit_operator_status(with_messages("the webhook refuses the pod: " + "m" * 30_000), report)
        whole = msgspec.structs.replace(fitted, stream=report)
        assert len(msgspec.json.encode(whole)) <= STATUS_BYTES
        assert all(each.message.startswith("the webhook") and each.message[-1] == "…" for each in fitted.conditions)


def test_the_largest_pause_history_and_policy_leave_the_whole_status_within_10_kb() -> None:
    stream = fit_stream_status(with_largest_pause_and_history(with_rejections("m" * 3000)))
    assert stream.pause is not None
    assert len(msgspec.json.encode(stream)) <= STREAM_BYTES
    assert stream.pause.source == SOURCE
    assert all(each.source == SOURCE for each in stream.pause.sources)
    [condition, *_] = with_messages("m" * 3000).conditions
    each_type = [msgspec.structs.replace(condition, type=name, reason="WriteBudgetSlowed") for name in ORDER]
    status = IngestJobStatus(
        observed_generation=2**31, phase="Degraded", conditions=each_type, pod_name="p" * 63, policy=LARGEST_POLICY
    )
    fitted = fit_operator_status(status, stream)
    assert len(msgspec.json.encode(msgspec.structs.replace(fitted, stream=stream))) <= STATUS_BYTES
    assert fitted.policy is not None
    assert fitted.policy.writes_per_day == LARGEST_POLICY.writes_per_day
    assert fitted.policy.denied is not None


def test_each_of_many_pauses_stays_named_in_a_large_status() -> None:
    at = datetime(2026, 11, 28, 19, 59, 59, tzinfo=UTC)
    names = [f"pause:us-equities-{'n' * 30}-{number}" for number in range(8)]
    sources = [PauseSource(source=name, reason="r" * 256, by="b" * 256, until=at) for name in names]
    pause = StreamPause(source=names[0], acknowledged_at=at, reason="r" * 256, by="b" * 256, sources=sources)
    history = [StateChange(at=at, state="Paused", reason=names[0], message="m" * 160)] * 10
    stream = msgspec.structs.replace(with_rejections("m" * 300), pause=pause, history=history)
    assert len(msgspec.json.encode(stream)) > STREAM_BYTES
    fitted = fit_stream_status(stream)
    assert len(msgspec.json.encode(fitted)) <= STREAM_BYTES
    assert fitted.pause is not None
    assert [each.source for each in fitted.pause.sources] == names


SOURCE = "clusterpause:" + "n" * 63
LARGEST_POLICY = JobPolicy(
    names=["n" * 63] * 8, dry_run=True, writes_per_second=500, writes_per_day=10**8, denied="d" * 512
)


def with_largest_pause_and_history(status: StreamStatus) -> StreamStatus:
    at = datetime(2026, 11, 28, 19, 59, 59, 999999, tzinfo=UTC)
    sources = [PauseSource(source=SOURCE, reason="r" * 256, by="b" * 256, until=at)] * 16
    pause = StreamPause(source=SOURCE, acknowledged_at=at, reason="r" * 256, by="b" * 256, until=at, sources=sources)
    history = [StateChange(at=at, state="Authenticating", reason="r" * 64, message="m" * 160)] * 10
    budget = WriteBudget(day="2026-11-28", used=10**8, limit=10**8, resets_at=at, paced_interval_milliseconds=10**6)
    return msgspec.structs.replace(status, pause=pause, history=history, writes=budget)
