import os
from pathlib import Path

import msgspec
import pytest

from sluice_runtime.adapters.switches import EnabledFilePoller, StoredSwitchesFile
from sluice_runtime.aio.waiting import run_with_timeout
from sluice_runtime.domain.pause import Switch
from sluice_runtime.domain.reload_report import FileReading
from support.encodings import ENCODINGS, UNREADABLE, Encode
from support.virtual_time import seconds

API = Switch(source="api", pauses=True, reason="bad prints")


class SwitchLog:
    """Remembers the states of a switch, with their times."""

    def __init__(self) -> None:
        self.said: list[tuple[float, bool]] = []
        self.failures: list[str] = []

    def set_switch(self, switch: Switch) -> None:
        moment = seconds()
        if not self.said or self.said[-1][1] != switch.pauses:
            self.said.append((moment, switch.pauses))

    def record_switch_failure(self, message: str) -> None:
        self.failures.append(message)


def put(file: Path, content: str | bytes | None) -> None:
    """Change the file as another program could; None removes it."""
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "enabled"


@pytest.fixture
def log() -> SwitchLog:
    return SwitchLog()


async def test_the_first_line_of_the_file_is_read_repeatedly(file: Path, log: SwitchLog) -> None:
    switch = EnabledFilePoller(file, 5.0, log)
    await run_with_timeout(1, switch.run())
    put(file, "off\ntrue\n")
    await run_with_timeout(6, switch.run())
    put(file, "on\noff\n")
    await run_with_timeout(1, switch.run())
    put(file, "0")
    switch.read_and_notify()
    put(file, None)
    switch.read_and_notify()
    assert [pauses for _, pauses in log.said] == [False, True, False, True, False]
    assert log.failures == []


async def test_a_change_is_found_at_the_next_poll(file: Path, log: SwitchLog) -> None:
    switch = EnabledFilePoller(file, 5.0, log)
    put(file, "on")
    assert not await run_with_timeout(4.9, switch.run())
    put(file, "off")
    assert not await run_with_timeout(4.9, switch.run())
    assert log.said == [(0, False), (4.9, True)]


@pytest.mark.parametrize(
    ("content", "reading"),
    [(None, "no file, so on"), ("on", "on"), ("off", "off"), ("\ufeffOFF\r\n", "off"), ("\n0\n1", "off")],
)
async def test_a_reload_returns_what_the_file_contains(
    file: Path, log: SwitchLog, content: str | None, reading: str
) -> None:
    if content is not None:
        put(file, content)
    assert EnabledFilePoller(file, 5.0, log).reload() == FileReading(file=str(file), content=reading)
    assert [pauses for _, pauses in log.said] == [reading == "off"]


@pytest.mark.parametrize("spoilt", [b"", b"halt", *UNREADABLE.values()])
async def test_a_reload_reports_an_unusable_file_even_if_a_poll_has_reported_it(
    file: Path, log: SwitchLog, spoilt: bytes
) -> None:
    put(file, spoilt)
    switch = EnabledFilePoller(file, 5.0, log)
    switch.read_and_notify()
    reading = switch.reload()
    assert reading.content == "not usable"
    assert log.failures == [reading.problem, reading.problem]


async def test_a_directory_in_place_of_the_file_is_reported(tmp_path: Path, log: SwitchLog) -> None:
    assert EnabledFilePoller(tmp_path, 5.0, log).reload().problem == (
        f"{tmp_path} cannot be read (Is a directory); ingestion stays enabled"
    )


@pytest.mark.parametrize("spoilt", [b"\xff\xfe", b"halt", b"", b"\n \r\n", *UNREADABLE.values()])
@pytest.mark.parametrize("before", ["on", "off"])
async def test_an_unreadable_file_leaves_the_last_state_in_force_and_is_logged_once(
    file: Path, log: SwitchLog, before: str, spoilt: bytes
) -> None:
    switch = EnabledFilePoller(file, 5.0, log)
    put(file, before)
    switch.read_and_notify()
    put(file, spoilt)
    assert not await run_with_timeout(60, switch.run())
    [message] = log.failures
    assert message.endswith(f"ingestion stays {'enabled' if before == 'on' else 'paused'}")
    assert [pauses for _, pauses in log.said] == [before == "off"]
    put(file, "off")
    switch.read_and_notify()
    put(file, spoilt)
    switch.read_and_notify()
    assert len(log.failures) == 2


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize(
    "text",
    [
        "off",
        "off\n",
        "off\r\n",
        "off\r",
        "\noff\n",
        "\r\n \r\n off \r\n",
        "\r\roff\r",
        "off\r\non\r\n",
        "Off\n# bad prints\n",
    ],
)
async def test_a_stop_takes_effect_in_every_encoding_of_an_editor(
    file: Path, log: SwitchLog, encode: Encode, text: str
) -> None:
    put(file, encode(text))
    EnabledFilePoller(file, 5.0, log).read_and_notify()
    assert (log.failures, [pauses for _, pauses in log.said]) == ([], [True])


@pytest.mark.parametrize("below", [b"# arr\xeat\n", b"\0\0", b"x" * 10_000_000], ids=["Latin-1", "zeros", "10 MB"])
async def test_lines_after_the_first_do_not_affect_a_stop(file: Path, log: SwitchLog, below: bytes) -> None:
    put(file, b"off\n" + below)
    EnabledFilePoller(file, 5.0, log).read_and_notify()
    assert (log.failures, [pauses for _, pauses in log.said]) == ([], [True])


@pytest.mark.parametrize(("content", "name"), [(UNREADABLE[name], name) for name in UNREADABLE])
async def test_an_unsupported_encoding_is_named(file: Path, log: SwitchLog, content: bytes, name: str) -> None:
    put(file, content)
    EnabledFilePoller(file, 5.0, log).read_and_notify()
    [message] = log.failures
    assert f"{file} cannot be read (it" in message
    assert name in message
    assert "; save it as UTF-8); ingestion stays enabled" in message


async def test_a_directory_is_closed_after_each_poll(file: Path, log: SwitchLog) -> None:
    switch = EnabledFilePoller(file.parent, 5.0, log)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        switch.read_and_notify()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_pipe_or_a_directory_never_blocks(file: Path, log: SwitchLog) -> None:
    os.mkfifo(file)
    EnabledFilePoller(file, 5.0, log).read_and_notify()
    EnabledFilePoller(file.parent, 5.0, log).read_and_notify()
    assert len(log.failures) == 2
    assert [pauses for _, pauses in log.said] == [False]


def test_the_state_of_a_switch_outlives_the_process(file: Path) -> None:
    stop = Switch(source="autoStop", pauses=True)
    StoredSwitchesFile(file).write(API)
    StoredSwitchesFile(file).write(stop)
    assert StoredSwitchesFile(file).read() == (API, stop)
    StoredSwitchesFile(file).write(msgspec.structs.replace(API, pauses=False))
    assert StoredSwitchesFile(file).read() == (stop,)


def test_without_a_file_no_switch_pauses(file: Path) -> None:
    assert StoredSwitchesFile(file).read() == ()


def test_a_disk_that_cannot_be_written_is_logged_and_raises_no_error(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("in the way")
    StoredSwitchesFile(file / "switches.json").write(API)
    assert "cannot store the switch api; it will not outlive this process" in caplog.text


def test_a_damaged_file_is_reported_on_reading_and_replaced_on_writing(file: Path) -> None:
    file.write_text("{")
    with pytest.raises(msgspec.MsgspecError):
        StoredSwitchesFile(file).read()
    StoredSwitchesFile(file).write(API)
    assert StoredSwitchesFile(file).read() == (API,)
    assert file.with_name("enabled.damaged").read_text() == "{"
