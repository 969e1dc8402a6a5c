import msgspec

from sluice_contract.lenient import decode_readable_fields
from sluice_contract.pause_status import MAX_SOURCES, PauseSource, StreamPause
from sluice_contract.status import StreamStatus
from sluice_contract.status_size import fit_stream_status


def test_a_pause_of_an_earlier_version_has_no_sources() -> None:
    pause = msgspec.convert({"source": "cr:acme/us", "reason": "incident"}, StreamPause)
    assert (pause.source, pause.by, pause.sources) == ("cr:acme/us", None, [])


def test_more_sources_than_the_bound_are_cut_to_it() -> None:
    pause = StreamPause(source="pause:a", sources=[PauseSource(source=f"pause:{number}") for number in range(20)])
    status = msgspec.structs.replace(decode_readable_fields({}, StreamStatus), pause=pause)
    fitted = fit_stream_status(status).pause
    assert fitted is not None
    assert fitted.sources == pause.sources[:MAX_SOURCES]
