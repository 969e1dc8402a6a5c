from __future__ import annotations

from datetime import timedelta

from sluice_cli.model.fleet import Unseen
from sluice_cli.model.history import Entry, History
from sluice_cli.text.printable import display_width
from sluice_cli.text.terminal import Terminal
from sluice_cli.views.history_lines import history_lines
from support.fake_kubectl import NOW

EARLIER, LATER = NOW - timedelta(minutes=10), NOW + timedelta(minutes=30)


def entry(kind: str, what: str, message: str = "", level: str = "", **fields: object) -> Entry:
    return Entry(EARLIER, "acme", "us", kind, level, what, message)._replace(**fields)  # type: ignore[arg-type]


ENTRIES = (
    entry("stream", "BackingOff", "network: the connection broke", "degraded"),
    entry("gap", "disconnect", level="degraded", until=EARLIER + timedelta(seconds=20)),
    entry("gap", "stall", level="degraded"),
    entry("pause", "pause:p", '"vendor incident"', "paused", by="alice", until=LATER),
    entry("pause", "spec.enabled", level="paused", at=None),
    entry("pod", "us-ingest", "created for epoch 7"),
    entry("event", "Refused", "the key is refused", "degraded", times=3),
)


def lines(*entries: Entry, width: int = 80, has_names: bool = False, only_gaps: bool = False) -> list[str]:
    found = History(NOW, entries, (Unseen("the pods", "you may not list pods"),), ("Events are not kept.",))
    return history_lines(found, Terminal(width=width), has_names=has_names, only_gaps=only_gaps)


def test_each_entry_has_its_words() -> None:
    assert lines(*ENTRIES, width=100) == [
        "13:50:00Z  ▲ stream BackingOff: network: the connection broke",
        "13:50:00Z  ▲ gap    20s, disconnect, until 13:50:20Z",
        "13:50:00Z  ▲ gap    stall, still open",
        '13:50:00Z  ‖ pause  pause:p · alice: "vendor incident" · in force, until 14:30:00Z',
        "-          ‖ pause  spec.enabled · in force, without an end",
        "13:50:00Z    pod    us-ingest created for epoch 7",
        "13:50:00Z  ▲ event  Refused: the key is refused (3 times)",
        "7 entries; 2 gaps, 20s without data, 1 still open",
        "Not visible: the pods (you may not list pods)",
        "Events are not kept.",
    ]


def test_several_jobs_have_a_column_of_names() -> None:
    first = lines(entry("stream", "Live"), entry("stream", "Live", job="crypto"), has_names=True)[0]
    assert first == "13:50:00Z  acme/us        stream Live"


def test_a_long_text_continues_under_its_beginning() -> None:
    found = lines(entry("event", "Refused", "word " * 40), has_names=True)
    assert len(found) > 4
    assert all(display_width(each) <= 80 for each in found)
    assert found[1].startswith(" " * 29 + "word")


def test_the_gaps_alone_have_their_sum() -> None:
    assert lines(*ENTRIES[1:3], only_gaps=True)[2] == "2 gaps, 20s without data, 1 still open"
    assert lines(only_gaps=True)[0] == "No gap."
    assert lines()[0] == "Nothing happened, as far as it is visible."
    assert lines(ENTRIES[0])[1] == "1 entry; no gap"
