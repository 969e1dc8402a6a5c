"""The main job on real input: a recorded tape through the simulator and the write limits into Firestore."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

from sluice_simulators.tapes import last_quotes, write_generated_tape
from support.recorded_tape import recorded_tape
from support.site import Tenant, eventually, instant
from support.upstream import Upstream


def metric(page: str, name: str) -> int:
    """Return one counter of a page of metrics."""
    [value] = re.findall(rf"^{name} ([0-9.e+]+)$", page, re.MULTILINE)
    return int(float(value))


def test_after_the_tape_every_document_is_its_symbols_last_quote(tenant: Tenant, tmp_path: Path) -> None:
    tape = recorded_tape() or write_generated_tape(
        tmp_path / "tape.csv", ("SPY", "AAPL", "BRK.B"), quotes=20_000, seed=7
    )
    expected = last_quotes(tape)
    symbols = sorted(expected)
    tenant.secret("alpaca", ALPACA_KEY_ID="key", ALPACA_SECRET_KEY="secret")
    with Upstream("--tape", str(tape), "--speed", "0", "--batch", "10", "--expect", ",".join(symbols)) as upstream:
        tenant.apply(
            provider="alpaca",
            symbols=symbols,
            alpaca={"streamURL": upstream.url, "credentialsSecretRef": {"name": "alpaca"}},
        )

        def all_last() -> bool:
            quotes = tenant.quotes()
            return all(
                symbol in quotes and round(instant(quotes[symbol]["ts"]).timestamp() * 1000) == last.time_ms
                for symbol, last in expected.items()
            )

        eventually(all_last, seconds=60)
        for symbol, quote in tenant.quotes().items():
            last = expected[symbol]
            assert (quote["bid"], quote["ask"]) == (last.bid or None, last.ask or None), symbol
            assert (quote["bid_size"], quote["ask_size"]) == (last.bid_size, last.ask_size), symbol
        [pod] = tenant.pods()
        with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/metrics") as answer:
            page = answer.read().decode()
    received = metric(page, "ingest_quotes_received_total")
    coalesced = metric(page, "ingest_quotes_coalesced_total")
    written = metric(page, "ingest_quotes_written_total")
    print(f"{received} quotes in, {written} writes out, {coalesced} coalesced")  # noqa: T201
    assert received == coalesced + written + metric(page, "ingest_quotes_out_of_order_total")
