"""The figures of event-to-document, from the logs of a pod and of bare commits."""

from pathlib import Path

import pytest

from bench.event_to_document import Delay, Delays, compared, read_writes

LOG = """1764560000.5
{"ts":"2026-12-01T00:00:01.250000Z","message":"wrote a quote","symbol":"S01","at":"2026-12-01T00:00:01.225000Z"}
{"ts":"2026-12-01T00:00:01.300000Z","message":"wrote 1 document (quotes: 1), first S01"}
a line of a library
{"ts":"2026-12-01T00:00:02Z","message":"wrote a quote","symbol":"S02","at":"2026-12-01T00:00:01.990000Z"}
{"ts":"2026-12-01T00:00:02Z","message":"a line that is being wri"""


def delays(seconds: float, bare_seconds: float) -> Delays:
    times = [number / 20 for number in range(1200)]
    return Delays([Delay(at, seconds) for at in times], [Delay(at, bare_seconds) for at in times], 0.04)


def test_the_writes_of_a_log_are_read_and_all_other_lines_are_skipped(tmp_path: Path) -> None:
    log = tmp_path / "pod.log"
    log.write_text(LOG)
    assert [each.seconds for each in read_writes(log)] == pytest.approx([0.025, 0.010], rel=1e-3)


@pytest.mark.parametrize(("rate", "most"), [(1000, 0.030 + 2 * 0.008), (5000, 0.020 + 2 * 0.008)])
def test_the_target_is_a_gap_or_a_flush_and_two_bare_commits(rate: int, most: float) -> None:
    peer = delays(0.1, 0.008)
    _, p99, cpu = compared(rate, delays(most - 0.001, 0.008), peer)
    assert (p99.met, p99.target, p99.limit) == (True, f"<= {1e3 * most:.1f} ms", 8.0)
    assert cpu.ours == 4.0
    assert [row.met for row in compared(rate, delays(most + 0.001, 0.008), peer)] == [None, False, None]


def test_each_ten_seconds_have_a_ratio_to_the_bare_commits() -> None:
    rows = list(compared(1000, delays(0.024, 0.008), delays(0.1, 0.008)))
    assert [row.turn_ratios for row in rows[:2]] == [pytest.approx((3.0,) * 6)] * 2
