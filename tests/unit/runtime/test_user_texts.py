"""The texts that the commands and the environment read from files, in every encoding."""

import os
import threading
from pathlib import Path

import pytest

from sluice_runtime import cli
from sluice_runtime.settings import SettingsError, first_set_variable, is_switched_on
from support.encodings import ENCODINGS, UNREADABLE, Encode

REAL_TIME = True
JOB = "metadata: {name: us}\nspec: {tenant: acme, provider: synthetic, symbols: [SPY]"


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("is_pipe", [False, True], ids=["file", "pipe"])
def test_a_document_is_the_same_in_every_encoding(tmp_path: Path, encode: Encode, is_pipe: bool) -> None:
    document = tmp_path / "job"
    content = encode(f"{JOB}}}\r\n# caf\u00e9\r\n")
    if is_pipe:
        os.mkfifo(document)
    writer = threading.Thread(target=document.write_bytes, args=(content,))
    writer.start()
    if not is_pipe:
        writer.join()
    assert cli.job_reader(document, {})().spec.tenant == "acme"
    writer.join()


@pytest.mark.parametrize(("name", "content"), UNREADABLE.items(), ids=UNREADABLE)
def test_a_document_in_another_encoding_is_named_with_it(tmp_path: Path, name: str, content: bytes) -> None:
    document = tmp_path / "job.yaml"
    document.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        cli.job_reader(document, {})()
    found = str(error.value)
    assert found.startswith(f"{document} cannot be read: it")
    assert name in found


def test_a_variable_that_was_copied_from_a_file_with_a_mark_is_understood() -> None:
    assert first_set_variable({"ALPACA_KEY_ID": "\ufeffkey\r\n"}, ("ALPACA_KEY_ID", "ALPACA_API_KEY")) == "key"
    assert (
        first_set_variable({"ALPACA_KEY_ID": "\ufeff", "ALPACA_API_KEY": "key"}, ("ALPACA_KEY_ID", "ALPACA_API_KEY"))
        == "key"
    )
    assert not is_switched_on({"INGEST_ENABLED": "\ufeffoff\r\n"}, "INGEST_ENABLED", default="on")
