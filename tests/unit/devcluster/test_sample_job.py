"""The tape of `make up TAPE=...`, as an editor saves it."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.sample_job import with_tape_replay
from support.encodings import ENCODINGS, Encode

TAPE = "time_ms,symbol,bid,bid_size,ask,ask_size,exchange\r\n1,SPY,1,1,2,1,V\r\n2,AAPL,1,1,2,1,V\r\n"
SAMPLE: list[dict[str, Any]] = [{"kind": "Namespace"}, {"metadata": {"namespace": "acme"}, "spec": {"tenant": "acme"}}]


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("is_compressed", [False, True], ids=["plain", "gzip"])
def test_its_symbols_are_the_same_in_every_encoding(tmp_path: Path, encode: Encode, is_compressed: bool) -> None:
    tape = tmp_path / "tape"
    tape.write_bytes(gzip.compress(encode(TAPE)) if is_compressed else encode(TAPE))
    assert with_tape_replay(SAMPLE, tape, 1.0)[2]["spec"]["symbols"] == ["AAPL", "SPY"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le", "utf-16-be"])
def test_a_tape_in_another_encoding_says_what_to_do(tmp_path: Path, encoding: str) -> None:
    tape = tmp_path / "tape"
    text = TAPE.replace("SPY", "\u00e9") if encoding == "latin-1" else TAPE
    tape.write_bytes(text.encode(encoding))
    with pytest.raises(DevclusterError, match="save it as UTF-8"):
        with_tape_replay(SAMPLE, tape, 1.0)
