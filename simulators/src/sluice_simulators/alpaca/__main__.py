"""The command `python -m sluice_simulators.alpaca`: prints its addresses as one JSON line and serves until SIGTERM."""

import argparse
import asyncio
import json
import signal
import ssl
from pathlib import Path

from sluice_simulators.alpaca.accounts import Account, Plan
from sluice_simulators.alpaca.feeds import Feed, GeneratorFeed, TapeFeed
from sluice_simulators.alpaca.server import AlpacaServer, ServerOptions


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="sluice_simulators.alpaca", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--key", default="key")
    parser.add_argument("--secret", default="secret")
    parser.add_argument(
        "--connections", type=int, default=1, help="connections to each feed that the key may have open"
    )
    parser.add_argument(
        "--hold",
        type=float,
        default=0.0,
        help="seconds for which a connection lost without a close still counts as open",
    )
    parser.add_argument("--tape", type=Path)
    parser.add_argument("--speed", type=float, default=0.0, help="1: as recorded, 0: as fast as clients read")
    parser.add_argument("--expect", default="", help="the tape starts when these symbols (A,B) are subscribed")
    parser.add_argument("--at-end", choices=("stay", "close", "repeat"), default="stay")
    parser.add_argument("--restamp", action="store_true", help="the tape's quotes carry the time of sending")
    parser.add_argument("--quotes-per-second", type=float, help="0: as fast as clients read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1, help="most messages in a frame")
    parser.add_argument("--no-deflate", action="store_true")
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    return parser.parse_args()


def feed_from_arguments(options: argparse.Namespace) -> Feed | None:
    """Return the tape feed or the generator feed that the command line names; None if it names neither."""
    if options.tape is not None:
        expect = frozenset(filter(None, options.expect.split(",")))
        return TapeFeed(options.tape, options.speed, options.batch, expect, options.at_end, options.restamp)
    if options.quotes_per_second is not None:
        return GeneratorFeed(options.quotes_per_second, options.seed, options.batch)
    return None


def options_from_arguments(options: argparse.Namespace) -> ServerOptions:
    """Return the listening address, TLS and connection options that the command line names."""
    tls = None
    if options.tls_cert is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.tls_cert, options.tls_key)
    return ServerOptions(
        host=options.host, port=options.port, hold=options.hold, deflate=not options.no_deflate, tls=tls
    )


async def main(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    account = Account(options.key, options.secret, Plan(connections=options.connections))
    async with AlpacaServer([account], feed_from_arguments(options), options_from_arguments(options)) as server:
        print(json.dumps({"url": server.url("iex"), "control": server.http_url}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(parse_arguments()))
