import msgspec

from sluice_contract.lenient import decode_readable_fields
from sluice_contract.status import StreamStatus
from sluice_contract.status_size import STREAM_BYTES, fit_stream_status
from sluice_contract.symbol_counts import SymbolRejection

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
