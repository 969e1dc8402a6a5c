import logging

import pytest

from sluice_runtime.adapters.quote_log import QuoteLog
from sluice_runtime.adapters.recording import QuoteRecordingSource
from support.fake_listener import FakeListener
from support.runtime_fakes import FakeSource, quote


async def test_every_quote_is_logged_and_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    source, listener = FakeSource(), FakeListener()
    async with QuoteRecordingSource(source, QuoteLog()).connect(listener):
        source.connection.say(quote("AAPL", bid=1.0), quote("AAPL", bid=2.0))
    logged = [record.__dict__ for record in caplog.records if record.message == "quote"]
    assert [(each["event_type"], each["symbol"], each["bid"]) for each in logged] == [
        ("quote", "AAPL", 1.0),
        ("quote", "AAPL", 2.0),
    ]
    assert len(listener.ticks) == 2
