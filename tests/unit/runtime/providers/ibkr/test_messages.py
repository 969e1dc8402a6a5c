import pytest

from sluice_contract.ibkr import IBKRSettings
from sluice_runtime.domain.failure import Impairment
from sluice_runtime.providers.ibkr import messages
from sluice_runtime.providers.ibkr.messages import Outages

GATEWAY = IBKRSettings(host="gateway.acme", client_id=7)


def impairment(outages: Outages) -> Impairment:
    """Return the impairment, which must not be None."""
    assert outages.impairment is not None
    return outages.impairment


@pytest.mark.parametrize("code", [1101, 1102])
def test_lost_connectivity_interrupts_until_it_is_restored(code: int) -> None:
    outages = Outages()
    assert (outages.apply_message(1100, "lost"), outages.is_lost) == ("worse", True)
    assert impairment(outages).interrupts_quotes
    assert (outages.apply_message(code, "restored"), outages.is_lost, outages.impairment) == ("better", False, None)


def test_only_a_market_data_farm_interrupts() -> None:
    outages = Outages()
    outages.apply_message(2105, "HMDS data farm connection is broken:ushmds")
    outages.apply_message(2157, "Sec-def data farm connection is broken:secdefnj")
    assert not impairment(outages).interrupts_quotes
    assert all(name in impairment(outages).message for name in ("ushmds, code 2105", "secdefnj, code 2157"))
    outages.apply_message(2103, "Market data farm connection is broken:usfarm")
    assert impairment(outages).interrupts_quotes


def test_each_farm_comes_back_by_itself() -> None:
    outages = Outages()
    outages.apply_message(2103, "Market data farm connection is broken:usfarm")
    outages.apply_message(2103, "Market data farm connection is broken:usfarm.nj")
    assert outages.apply_message(2104, "Market data farm connection is OK:cashfarm") is None
    assert outages.apply_message(2104, "Market data farm connection is OK:usfarm") == "better"
    assert outages.apply_message(2108, "Market data farm connection is inactive:usfarm.nj") == "better"
    assert outages.impairment is None


def test_the_same_name_of_another_kind_of_farm_changes_nothing() -> None:
    outages = Outages()
    outages.apply_message(2103, "broken:usfarm")
    assert outages.apply_message(2106, "OK:usfarm") is None


def test_farms_stay_broken_when_connectivity_is_back() -> None:
    outages = Outages()
    outages.apply_message(2103, "broken:usfarm")
    outages.apply_message(1100, "lost")
    outages.apply_message(1102, "restored")
    assert "usfarm" in impairment(outages).message


@pytest.mark.parametrize(("code", "rejects"), [(200, True), (354, True), (10167, True), (300, False), (2176, False)])
def test_notices_and_the_answer_to_a_needless_cancellation_reject_no_symbol(code: int, rejects: bool) -> None:
    assert messages.is_refusal_code(code) is rejects


def test_a_rejection_has_ibkr_s_message_a_remedy_and_a_length_limit() -> None:
    known = messages.symbol_rejection("AAPL", 354, "Requested market data is not subscribed.")
    assert known.message.startswith("Requested market data is not subscribed. (subscribe this login")
    assert messages.symbol_rejection("AAPL", 9999, "x" * 1000).message == "x" * 300


def test_a_client_id_in_use_is_retried_after_5_to_30_s() -> None:
    error = messages.connection_end_error(326, "in use", GATEWAY)
    assert error is not None
    assert (error.kind, error.retry_after, error.retry_within) == ("connectionLimit", 5.0, 30.0)
    assert "gateway.acme:4002 has another client with ID 7" in error.message


def test_a_changed_port_ends_the_session_and_a_notice_does_not() -> None:
    error = messages.connection_end_error(1300, "reset", GATEWAY)
    assert error is not None
    assert error.kind == "upstreamClosed"
    assert messages.connection_end_error(2104, "OK", GATEWAY) is None


def test_every_failure_names_the_gateway_and_none_is_fatal() -> None:
    errors = [
        messages.unreachable_error(GATEWAY, OSError("refused")),
        messages.not_ready_error(GATEWAY, "did not answer"),
        messages.connection_closed_error(GATEWAY),
        messages.no_answer_error(GATEWAY, 10),
    ]
    assert [each.kind for each in errors] == ["network", "network", "upstreamClosed", "stall"]
    assert all("gateway.acme:4002" in each.message and not each.is_fatal for each in errors)


def test_types_3_and_4_are_delayed() -> None:
    assert [kind for kind in range(1, 5) if messages.is_delayed(kind)] == [3, 4]


def test_the_error_about_delayed_data_names_the_first_20_symbols() -> None:
    error = messages.delayed_data_error([f"S{n:02}" for n in range(25)])
    assert "S00, S01" in error.message
    assert "S19 and others; delayed quotes are not passed on as live ones" in error.message
    assert error.retry_within == 300
