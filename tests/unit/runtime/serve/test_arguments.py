import argparse

import pytest

from sluice_runtime.argument_parser import PlainArgumentParser
from sluice_runtime.serve.arguments import add_serve_commands, parse_speed


def test_the_speed_is_a_number_from_0() -> None:
    assert [parse_speed(text) for text in ("0", "1", "2.5")] == [0.0, 1.0, 2.5]
    for text in ("-1", "fast", "inf", "nan"):
        with pytest.raises(argparse.ArgumentTypeError, match="use a number such as 1 or 60"):
            parse_speed(text)


def test_no_option_takes_a_secret() -> None:
    parser = PlainArgumentParser(prog="p")
    add_serve_commands(parser.add_subparsers(dest="command"))

    found = vars(parser.parse_args(["serve", "--tape", "day.csv"]))
    assert not [name for name in found if "secret" in name or "token" in name or name == "key"]
    assert (found["host"], found["speed"], found["restamp"]) == ("127.0.0.1", 1.0, False)
