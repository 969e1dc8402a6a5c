"""The text that is shown for the errors of a real client without a reachable peer."""

import aiohttp
import pytest

from sluice_runtime.adapters.error_text import redact_url, system_error_text

REAL_TIME = True


async def test_error_texts_have_no_memory_addresses() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError) as failure:
            await session.get("http://127.0.0.1:9/")
    assert system_error_text(failure.value) == "Connection refused, 127.0.0.1 port 9"


def test_an_error_without_a_message_is_reported_by_its_type_name() -> None:
    assert system_error_text(TimeoutError()) == "TimeoutError"
    assert system_error_text(ValueError("why")) == "why"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("wss://stream.example:8443/v2/iex", "wss://stream.example:8443/v2/iex"),
        ("ws://user:secret@host/v2?key=secret#secret", "ws://host/v2"),
        ("ws://[::1]:9/x", "ws://[::1]:9/x"),
        ("ws://[::1/secret", "the configured URL"),
    ],
)
def test_a_url_is_shown_without_a_possible_password(url: str, expected: str) -> None:
    assert redact_url(url) == expected
