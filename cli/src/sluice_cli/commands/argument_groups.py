"""Groups of arguments that several commands have. Their names are those of kubectl."""

from __future__ import annotations

import argparse

from ..text.instants import parse_duration

FORMATS = ("json", "yaml", "name")


def add_namespace(parser: argparse.ArgumentParser, *, has_all: bool) -> None:
    parser.add_argument("-n", "--namespace", default="", help="default: that of the context")
    if has_all:
        parser.add_argument("-A", "--all-namespaces", action="store_true", help="all namespaces")


def add_selector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-l", "--selector", default="", metavar="LABELS", help="only jobs with these labels: desk=rates"
    )


def add_document_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", choices=("json", "yaml"), default="", help="default: text")


def add_timeout(parser: argparse.ArgumentParser, default: str, text: str) -> None:
    parser.add_argument("--timeout", type=_seconds, default=_seconds(default), metavar=default, help=text)


def _seconds(text: str) -> float:
    """Return the seconds of a duration such as `30s`; `0` and `0s` are 0."""
    if text in ("0", "0s"):
        return 0.0
    duration = parse_duration(text)
    if duration is None:
        raise argparse.ArgumentTypeError(f"{text} is not a duration: write it like 30s or 2m")
    return duration.total_seconds()


def count(text: str) -> int:
    """Return a whole number, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a number: write it like 3")
    return int(text)


def price(text: str) -> float:
    """Return a price, 0 or more."""
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a price: write it like 0.09, without a currency")
    return float(text)
