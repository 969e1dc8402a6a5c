"""The private names of alpaca-py that the engine `sdk` uses: these tests fail first if a new version changes them."""

import inspect
from importlib.metadata import version
from typing import Any

import pytest

from sluice_runtime.providers.alpaca import sdk
from sluice_runtime.providers.alpaca.sdk import SDKTransport
from sluice_runtime.providers.alpaca.websocket import NativeTransport, Transport

KINDS = pytest.mark.parametrize("kind", [vars(sdk)[name] for name in ("StockDataStream", "CryptoDataStream")])


def test_the_installed_version_is_the_one_that_was_reviewed() -> None:
    assert version("alpaca-py") == "0.44.0"


@KINDS
def test_the_private_names_that_are_used_are_there(kind: Any) -> None:
    stream = kind("", "", raw_data=True, url_override="ws://127.0.0.1:9/v2/iex")
    assert stream._endpoint == "ws://127.0.0.1:9/v2/iex"
    assert stream._ws is None
    assert stream._handlers.keys() >= {"quotes", "trades", "corrections", "cancelErrors", "bars", "statuses"}
    assert stream._websocket_params.keys() == {"ping_interval", "ping_timeout", "max_queue"}


@pytest.mark.parametrize(
    ("name", "parameters"), [("_connect", ["self"]), ("_dispatch", ["self", "msg"]), ("close", ["self"])]
)
@KINDS
def test_what_is_overridden_has_the_same_form(kind: Any, name: str, parameters: list[str]) -> None:
    method = getattr(kind, name)
    assert inspect.iscoroutinefunction(method)
    assert list(inspect.signature(method).parameters) == parameters


@KINDS
async def test_raw_messages_reach_the_handler_of_every_symbol_as_they_came(kind: Any) -> None:
    seen = []

    async def keep(message: object) -> None:
        seen.append(message)

    stream = kind("", "", raw_data=True, url_override="ws://127.0.0.1:9/v2/iex")
    stream._handlers["quotes"]["*"] = keep
    await stream._dispatch({"T": "q", "S": "A", "t": 1})
    await stream._dispatch({"T": "zz", "S": "A"})
    assert seen == [{"T": "q", "S": "A", "t": 1}]


def test_both_engines_use_the_same_transport() -> None:
    names = {name for name in vars(Transport) if not name.startswith("_")}
    assert all(callable(getattr(engine, name)) for engine in (NativeTransport, SDKTransport) for name in names)
