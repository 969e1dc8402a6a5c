import msgspec

from sluice_contract.bounds import cut_to_bounds, cut_to_bytes, cut_to_characters
from sluice_contract.pod import EnvironmentVariable
from sluice_contract.status import PreflightResult, StreamFailure
from sluice_contract.status_values import LARGEST
from sluice_contract.symbol_counts import SymbolRejection

from .test_lenient import TIME


def test_long_texts_are_cut_to_the_schema_s_limit() -> None:
    failure = msgspec.convert({"type": "auth", "message": "m", "at": TIME}, StreamFailure)
    cut = cut_to_bounds(msgspec.structs.replace(failure, message="m" * 3000))
    assert (len(cut.message), cut.message[-1]) == (1024, "…")
    assert msgspec.convert(msgspec.to_builtins(cut), StreamFailure) == cut


def test_long_lists_and_their_items_are_cut() -> None:
    preflight = msgspec.convert({"at": TIME, "passed": True}, PreflightResult)
    cut = cut_to_bounds(msgspec.structs.replace(preflight, findings=["f" * 2000] * 30))
    assert (len(cut.findings), len(cut.findings[0])) == (20, 1024)


def test_a_value_within_its_bounds_stays_the_same_object() -> None:
    rejection = SymbolRejection(symbol="SPY", code=400, message="no")
    variable = EnvironmentVariable(name="LOG_LEVEL", value="info")
    assert cut_to_bounds(rejection) is rejection
    assert cut_to_bounds(variable) is variable


def test_a_text_is_cut_by_its_bytes_and_never_within_a_character() -> None:
    assert cut_to_bytes("stop", 4) == "stop"
    assert cut_to_bytes("stopping", 6) == "sto…"
    euros = cut_to_bytes("\N{EURO SIGN}" * 5, 11)
    assert euros == "\N{EURO SIGN}" * 2 + "…"
    assert len(euros.encode()) <= 11


def test_an_integer_beyond_a_bound_becomes_that_bound() -> None:
    for code, written in ((2**63, LARGEST), (-(2**63), -LARGEST), (406, 406)):
        assert cut_to_bounds(SymbolRejection(symbol="SPY", code=code, message="no")).code == written


def test_a_text_is_cut_by_its_code_points() -> None:
    assert cut_to_characters("\N{BAR CHART}" * 3, 3) == "\N{BAR CHART}" * 3
    assert cut_to_characters("\N{BAR CHART}" * 4, 3) == "\N{BAR CHART}" * 2 + "…"
