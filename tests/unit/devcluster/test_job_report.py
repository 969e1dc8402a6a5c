"""What `make status` prints of one job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice_devcluster.job_report import JobDocuments, age_text, heartbeat_path, job_lines, quotes_path

NOW = datetime(2026, 11, 27, 15, tzinfo=UTC)
NAMES = ("SPY", "AAPL")


def job(*symbols: str, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "acme", "name": "us"}
    return {"metadata": metadata, "spec": {"tenant": "acme", "symbols": list(symbols or NAMES), **spec}}


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def heartbeat(age: float = 2.0, **fields: Any) -> dict[str, Any]:
    given = {"status": "running", "ts": ago(age), "session_id": "s", "job": "acme/us", "market": "open"}
    return {**given, "symbols": {"live": 2}, **fields}


def quote(symbol: str, **fields: Any) -> dict[str, Any]:
    given = {"symbol": symbol, "bid": 1.25, "ask": 1.26, "price": 1.255, "price_basis": "mid", "status": "live"}
    return {**given, "session_id": "s", "ts": ago(1.2), "written_at": ago(0.5), "seq": 3, **fields}


def quotes(*symbols: str, **fields: Any) -> dict[str, dict[str, Any]]:
    return {symbol: quote(symbol, **fields) for symbol in symbols or NAMES}


def lines(beat: object, documents: dict[str, dict[str, Any]], described: dict[str, Any] | None = None) -> list[str]:
    return job_lines(described or job(), JobDocuments(beat, documents), NOW)


def test_a_running_job_has_its_heartbeat_and_its_quotes_with_their_ages() -> None:
    [first, headings, spy, aapl] = lines(heartbeat(), quotes())
    assert first == (
        "acme/us: heartbeat says running, 2.0 s old; 2 of 2 quotes are live and usable (tenants/acme/live_quotes)"
    )
    assert headings.split() == ["SYMBOL", "BID", "ASK", "EVENT", "WRITTEN", "VERDICT"]
    assert spy.split(maxsplit=7) == ["SPY", "1.25", "1.26", "1.2", "s", "0.5", "s", "live and usable"]
    assert aapl.startswith("  AAPL ")


@pytest.mark.parametrize(
    ("beat", "state", "reason", "word"),
    [
        (None, "no heartbeat", "There is no heartbeat document. Check the names", "never heard of"),
        (
            heartbeat(61),
            "heartbeat says running, 1 min old",
            "The last heartbeat is from 2026-11-27T14:58:59Z",
            "stale",
        ),
        (heartbeat(ts=None), "heartbeat says running, of an unknown age", "has no time that can be read", "stale"),
        (
            heartbeat(status="paused", ingest_enabled=False, ingest_enabled_source="spec.pause", pause_reason="CPI"),
            "heartbeat says paused, 2.0 s old",
            "The job is paused (by spec.pause; reason: CPI). Wait until the pause ends",
            "paused",
        ),
        (heartbeat(status="stopped"), "heartbeat says stopped, 2.0 s old", "The job is stopped. Start", "stopped"),
        (heartbeat(dry_run=True), "heartbeat says running, 2.0 s old", "The job is a dry run", "dry run"),
        (heartbeat(session_id="t"), "heartbeat says running, 2.0 s old", "", ""),
    ],
    ids=["missing", "stale", "timeless", "paused", "stopped", "dry-run", "other-session"],
)
def test_a_job_whose_quotes_are_not_live_gives_the_reason_once(
    beat: object, state: str, reason: str, word: str
) -> None:
    found = lines(beat, quotes())
    assert found[0].startswith(f"acme/us: {state}; 0 of 2 quotes are live and usable")
    if reason:
        assert found[1].startswith("  No quote is live. ")
        assert reason in found[1]
        assert [line.endswith(f"  not live ({word})") for line in found[3:]] == [True, True]
    else:
        assert "from another session" in found[2]


def test_quotes_that_must_not_be_used_come_first_with_their_reasons() -> None:
    found = {**quotes("SPY"), "AAPL": quote("AAPL", status="paused"), "BTC-USD": quote("BTC/USD", price=0)}
    rows = lines(heartbeat(), found, job("SPY", "AAPL", "BTC/USD", "MSFT"))[2:]
    assert [row.split()[0] for row in rows] == ["AAPL", "BTC/USD", "MSFT", "SPY"]
    assert "not live: The symbol AAPL is paused. Wait until the pause ends" in rows[0]
    assert "live, not usable: The quote of BTC/USD is live, but its price is not a number above 0. Do not" in rows[1]
    assert "not live: There is no quote of this symbol. Check that spec.symbols" in rows[2]
    assert rows[2].split()[1:5] == ["-", "-", "-", "-"]


def test_a_heartbeat_of_another_job_names_that_job() -> None:
    assert "heartbeat from acme/first says running" in lines(heartbeat(job="acme/first"), quotes())[0]


def test_a_long_heartbeat_interval_does_not_make_a_heartbeat_stale() -> None:
    slow = job(heartbeat={"intervalSeconds": 30, "document": "beat"})
    assert "2 of 2 quotes are live" in lines(heartbeat(45), quotes(), slow)[0]
    assert "0 of 2 quotes are live" in lines(heartbeat(61), quotes(), slow)[0]


def test_of_many_quotes_the_first_twenty_are_shown() -> None:
    names = [f"S{number}" for number in range(30)]
    found = lines(heartbeat(), quotes(*names), job(*names))
    assert len(found) == 2 + 20 + 1
    assert found[-1] == "  and 10 more, all of them live and usable"
    assert "30 of 30 quotes" in found[0]


def test_the_paths_follow_the_job_s_names() -> None:
    named = job(firestore={"liveQuotesCollection": "latest"}, heartbeat={"document": "beat"})
    assert (heartbeat_path(named), quotes_path(named)) == ("tenants/acme/ops/beat", "tenants/acme/latest")
    assert (heartbeat_path(job()), quotes_path(job())) == (
        "tenants/acme/ops/market_ingest",
        "tenants/acme/live_quotes",
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-0.01, "0.0 s"),
        (-7.0, "-7.0 s"),
        (59.94, "59.9 s"),
        (600, "10 min"),
        (11_160, "3.1 h"),
        (1_036_800, "12 d"),
        (414_720_000, "13 y"),
    ],
)
def test_an_age_is_short(seconds: float | None, text: str) -> None:
    assert age_text(seconds) == text
