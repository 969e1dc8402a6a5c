import asyncio
import logging
from pathlib import Path

import pytest

from sluice_relay.client_file import ClientFile
from sluice_relay.clients import ClientsError
from support.deadlines import within


async def test_a_changed_file_is_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "clients.yaml"
    path.write_text("clients: [{key: a, secret: s}]")
    file = ClientFile(path)
    assert list(file.read_clients()) == ["a"]

    changed = asyncio.create_task(file.wait_for_change())
    with caplog.at_level(logging.ERROR):
        path.write_text("clients: [{key: a}]")
        async with within(10):
            while not caplog.messages:  # noqa: ASYNC110  the log has no event
                await asyncio.sleep(0.05)
    assert "the clients stay as they were" in caplog.text
    assert not changed.done()

    path.write_text("clients: [{key: b, secret: t}]")
    async with within(10):
        assert list(await changed) == ["b"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read: No such file"), (b"\xff\xfe\xff", "save it as UTF-8"), (b"clients: 3", "clients.yaml: ")],
)
def test_a_file_that_cannot_be_used_is_explained(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "clients.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ClientsError, match=words):
        ClientFile(path).read_clients()
