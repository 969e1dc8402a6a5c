"""The command lines of `serve` and `sample-tape`. A pod imports this module, so it imports little."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..argument_parser import PlainArgumentParser

DEFAULT_PORT = 8765


def add_serve_commands(actions: argparse._SubParsersAction[PlainArgumentParser]) -> None:
    """Add the commands to those of the program."""
    serve = actions.add_parser("serve", help="serve a tape to clients of the provider's stream, on any day")
    serve.add_argument("--tape", type=Path, required=True, metavar="DAY", help="the tape: CSV, plain or gzip")
    serve.add_argument(
        "--speed", type=parse_speed, default=1.0, help="1: as recorded; 60: an hour in a minute; 0: as fast as possible"
    )
    serve.add_argument("--restamp", action="store_true", help="events have the time of now, not the recorded one")
    serve.add_argument("--repeat", action="store_true", help="play the tape again when it ends")
    serve.add_argument("--faults", type=Path, metavar="FILE", help="scripted faults, see docs/saturday.md")
    serve.add_argument("--clients", type=Path, metavar="FILE", help="the keys and secrets of the clients")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default %(default)s)")
    serve.add_argument("--port", type=int, default=DEFAULT_PORT, help="the port; 0: any (default %(default)s)")
    serve.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve wss with this certificate (PEM)")
    serve.add_argument("--tls-key", type=Path, metavar="FILE", help="the key of the certificate")
    serve.add_argument("--insecure", action="store_true", help="allow plain ws beyond this machine")
    sample = actions.add_parser("sample-tape", help="write a tape of a made-up day: quotes, trades and minute bars")
    sample.add_argument("file", type=Path, metavar="FILE", help="a new file; compressed if .gz")
    sample.add_argument("--symbols", default="AAPL,SPY,TSLA", help="separated by commas (default %(default)s)")
    sample.add_argument("--minutes", type=int, default=390, help="the length of the day (default %(default)s)")
    sample.add_argument("--seed", type=int, default=1, help="the same seed gives the same day")


def parse_speed(text: str) -> float:
    """Return a speed.

    Raises:
        ArgumentTypeError: it is not a number from 0.
    """
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed; use a number such as 1 or 60, or 0 for no waits")
    return speed
