"""The commands `serve` and `sample-tape`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from sluice_contract import log_lines
from sluice_contract.values import Symbol
from sluice_relay.client_file import ClientFile
from sluice_relay.clients import Client, ClientDirectory, ClientsError
from sluice_relay.faults import FaultClock, FaultsError, FaultySource, ScriptedFault, parse_faults
from sluice_relay.listening import Address, ListeningError, create_listener, create_tls_context
from sluice_relay.ports import Source
from sluice_relay.server import RelayServer

from ..adapters.error_text import file_error_text
from ..adapters.user_text import UserTextError, read_user_text
from ..domain.failure import StreamError
from ..settings import SettingsError
from .sample_day import write_sample_day
from .tape_source import Playback, TapeContents, TapeSource, read_tape_contents

KEY: Final = "SLUICE_SERVE_KEY"
SECRET: Final = "SLUICE_SERVE_SECRET"  # noqa: S105  the name of a variable
_NAMED_SYMBOLS: Final = 10
_log = logging.getLogger(__name__)

Say = Callable[[str], None]


def run_sample_tape(arguments: argparse.Namespace, say: Say) -> int:
    """Write a tape of a made-up day, and return the exit code.

    Raises:
        SettingsError: an argument is wrong, or the file cannot be written.
    """
    names = [name.strip().upper() for name in arguments.symbols.split(",")]
    try:
        symbols = msgspec.convert(names, list[Symbol])
    except msgspec.ValidationError:
        raise SettingsError(f"--symbols {arguments.symbols}: symbols are written like AAPL or BRK.B") from None
    if arguments.minutes < 1:
        raise SettingsError("--minutes is below 1; use the length of the day, such as 390")
    try:
        write_sample_day(arguments.file, symbols, arguments.minutes, arguments.seed)
    except OSError as error:
        raise SettingsError(f"{arguments.file} cannot be written: {file_error_text(error)}") from None
    say(f"wrote {arguments.file}: {arguments.minutes} minutes of {', '.join(symbols)}")
    return 0


def run_serve(arguments: argparse.Namespace, environment: Mapping[str, str], say: Say) -> int:
    """Serve a tape until SIGINT or SIGTERM, and return the exit code.

    Raises:
        SettingsError: an argument is wrong, or a file cannot be used.
    """
    log_lines.configure_logging("INFO", log_lines.LogLineFormatter())
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        contents = read_tape_contents(arguments.tape)
        address = Address(
            arguments.host, arguments.port, arguments.tls_cert, arguments.tls_key, allow_insecure=arguments.insecure
        )
        directory, file = _client_directory(arguments.clients, environment, address)
        faults = FaultClock(_scripted_faults(arguments.faults))
        tls = create_tls_context(address)
        listener = create_listener(address)
    except StreamError as error:
        raise SettingsError(error.message) from None
    except (ListeningError, ClientsError) as error:
        raise SettingsError(str(error)) from None
    playback = Playback(arguments.speed, arguments.restamp, arguments.repeat)
    source: Source = TapeSource(arguments.tape, contents, playback)
    server = RelayServer(FaultySource(source, faults) if arguments.faults else source, directory, faults)
    _say_addresses(say, arguments.tape, contents, address.url(listener))

    async def serve() -> None:
        async with server.serve(listener, tls):
            await _run_until_stopped(server, file)

    asyncio.run(serve())
    return 0


def _say_addresses(say: Say, tape: Path, contents: TapeContents, url: str) -> None:
    named = ", ".join(contents.symbols[:_NAMED_SYMBOLS])
    more = ", ..." if len(contents.symbols) > _NAMED_SYMBOLS else ""
    say(f"serving {tape}: {', '.join(sorted(contents.channels))} of {named}{more}")
    if any("/" not in symbol for symbol in contents.symbols):
        say(f"stocks: url_override={url}/v2/iex")
    if any("/" in symbol for symbol in contents.symbols):
        say(f"crypto: url_override={url}/v1beta3/crypto/us")
    say("the tape starts when a client subscribes; Ctrl-C ends")


def _client_directory(
    path: Path | None, environment: Mapping[str, str], address: Address
) -> tuple[ClientDirectory, ClientFile | None]:
    """Return who may connect, and the file that declares it.

    Raises:
        SettingsError: there is no key, and other machines can connect.
        ClientsError: the file cannot be used.
    """
    if path is not None:
        file = ClientFile(path)
        return ClientDirectory(file.read_clients()), file
    key, secret = environment.get(KEY, "").strip(), environment.get(SECRET, "").strip()
    if key and secret:
        return ClientDirectory({key: Client(key=key, secret=secret)}), None
    if key or secret:
        raise SettingsError(f"only one of {KEY} and {SECRET} is set; set both")
    if not address.is_loopback:
        raise SettingsError(
            f"{address.host} can be reached from other machines, and no key is set; give --clients FILE, or set "
            f"{KEY} and {SECRET}"
        )
    return ClientDirectory(None), None


def _scripted_faults(path: Path | None) -> tuple[ScriptedFault, ...]:
    if path is None:
        return ()
    try:
        return parse_faults(read_user_text(path))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}; correct --faults") from None
    except (UserTextError, FaultsError) as error:
        raise SettingsError(f"{path}: {error}") from None


async def _run_until_stopped(server: RelayServer, file: ClientFile | None) -> None:
    """Run the source and follow the file of the clients until the process is asked to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    tasks = [asyncio.create_task(_play(server))]
    if file is not None:
        tasks.append(asyncio.create_task(_follow_clients(server, file)))
    await stopped.wait()
    for each in tasks:
        each.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)


async def _play(server: RelayServer) -> None:
    try:
        await server.run_source()
    except StreamError as error:
        _log.error("%s; connections stay open without data", error.message, extra={"event_type": "serve"})


async def _follow_clients(server: RelayServer, file: ClientFile) -> None:
    while True:
        await server.replace_clients(await file.wait_for_change())
        _log.info("the clients have changed", extra={"event_type": "serve"})
