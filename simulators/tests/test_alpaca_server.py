import asyncio
import contextlib
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sluice_simulators.alpaca import AlpacaServer, ServerOptions
from sluice_simulators.alpaca.client import ClientOptions, connect, connect_and_subscribe
from sluice_simulators.tapes import write_generated_tape
from support.certificates import self_signed
from support.deadlines import wait_for, within

AUTHENTICATED = {"T": "success", "msg": "authenticated"}


@contextlib.asynccontextmanager
async def command(*arguments: str) -> AsyncIterator[dict[str, str]]:
    """Run the command and yield the addresses that it prints; on exit, SIGTERM must stop it with status 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sluice_simulators.alpaca",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield json.loads(await wait_for(process.stdout.readline(), 10))
    finally:
        process.send_signal(signal.SIGTERM)
        await wait_for(process.communicate(), 5)
    assert process.returncode == 0


async def post(address: str, body: object) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.post(address, json=body) as answer:
        return answer.status, await answer.json()


async def record(control: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{control}/_record") as answer:
        return dict(await answer.json())


async def test_the_command_plays_a_tape(tmp_path: Path) -> None:
    tape = write_generated_tape(tmp_path / "tape.csv", ["AAPL"], 50, seed=1)
    async with (
        command("--tape", str(tape), "--key", "k", "--secret", "s", "--batch", "10") as address,
        connect(address["url"]) as client,
    ):
        assert await client.authenticate("k", "s") == AUTHENTICATED
        await client.subscribe("AAPL")
        assert len(await client.receive_at_least(50)) == 50


async def test_the_command_generates_quotes_over_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    files = ("--tls-cert", str(certificate), "--tls-key", str(key))
    async with command("--quotes-per-second", "500", "--seed", "4", *files) as address:
        assert address["url"].startswith("wss://")
        async with connect_and_subscribe(address["url"], "AAPL", options=ClientOptions(tls=trusting)) as client:
            assert {each["S"] for each in await client.receive_at_least(5)} == {"AAPL"}


async def test_another_process_scripts_injects_sends_and_reads_the_record() -> None:
    async with AlpacaServer() as server:
        control = server.http_url
        scripted = {"faults": [{"fault": "AuthError", "code": 402}], "times": 1}
        assert await post(f"{control}/_faults", scripted) == (200, {"scripted": 1})
        async with connect(server.url()) as client:
            assert (await client.authenticate())["code"] == 402
        async with connect_and_subscribe(server.url(), "AAPL") as client:
            message = {"T": "q", "S": "AAPL", "bp": 1.5, "t": 1_381_152_300_289_000_000}
            assert await post(f"{control}/_send", {"messages": [message]}) == (200, {"sent": 1})
            assert (await client.receive_messages())[0]["t"].to_unix_nano() == 1_381_152_300_289_000_000
            struck = await post(f"{control}/_inject", {"faults": [{"fault": "EmptyArray"}]})
            assert struck == (200, {"struck": 1})
            assert await client.receive_messages() == []
            seen = await record(control)
    assert (seen["connects"], seen["open"], seen["quotes"]) == (2, 1, ["AAPL"])
    assert [each["outcome"] for each in seen["auths"]] == ["402", "authenticated"]


async def test_another_process_changes_the_accounts() -> None:
    async with AlpacaServer() as server:
        await post(f"{server.http_url}/_accounts", {"revoke": "key"})
        await post(f"{server.http_url}/_accounts", {"key": "new", "secret": "s", "symbols": 1})
        async with connect(server.url()) as client:
            assert (await client.authenticate())["code"] == 402
            assert await client.request({"action": "auth", "key": "new", "secret": "s"}) == AUTHENTICATED
            assert (await client.subscribe("A", "B"))["code"] == 405


@pytest.mark.parametrize(
    "body",
    [{"faults": [{"fault": "Nonsense"}]}, {"faults": [{"fault": "HttpError"}]}, {"faults": 1}],
)
async def test_an_invalid_script_is_rejected(body: object) -> None:
    async with AlpacaServer() as server:
        status, answer = await post(f"{server.http_url}/_faults", body)
    assert status == 400
    assert answer["error"]


async def test_tcp_connections_are_refused_for_a_time_and_open_ones_stay() -> None:
    async with AlpacaServer() as server, connect_and_subscribe(server.url(), "AAPL") as client:
        await post(f"{server.http_url}/_refuse", {"seconds": 0.2})
        with pytest.raises(aiohttp.ClientConnectorError):
            async with connect(server.url("sip")):
                pass
        await server.send_quote("AAPL")
        assert (await client.receive_messages())[0]["S"] == "AAPL"
        await eventually_accepted(server)


async def test_tcp_connections_are_refused_until_accepted_again() -> None:
    async with AlpacaServer() as server:
        before = server.url()
        await server.refuse_connections()
        with pytest.raises(aiohttp.ClientConnectorError):
            async with connect(before):
                pass
        await server.accept_connections()
        async with connect(before) as client:
            assert await client.authenticate() == AUTHENTICATED


async def test_a_server_can_stop_while_it_refuses_connections() -> None:
    async with AlpacaServer() as server:
        await server.refuse_connections(60)


async def test_a_client_that_does_not_read_does_not_block_stopping() -> None:
    server = AlpacaServer(options=ServerOptions(close_timeout=0.1))
    await server.start()
    async with connect_and_subscribe(server.url(), "AAPL"), within(1):
        await server.stop()


async def eventually_accepted(server: AlpacaServer) -> None:
    async with within(5):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                async with connect(server.url("sip")):
                    return
