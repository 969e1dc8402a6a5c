"""A parser of command lines whose errors say what to write, without the terms of argparse."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Final, NoReturn

_WORDS: Final[tuple[tuple[re.Pattern[str], Callable[..., str]], ...]] = (
    (re.compile(r"the following arguments are required: command"), lambda: "name a command"),
    (re.compile(r"argument command: invalid choice: '(.*?)'"), lambda name: f"{name} is not a command"),
    (re.compile(r"unrecognized arguments: (.+)"), lambda names: f"{names} is not expected here; remove it"),
    (re.compile(r"argument (\S+): expected one argument"), lambda name: f"{name} needs a value; write it after {name}"),
    (
        re.compile(r"argument (\S+): ignored explicit argument '(.*)'"),
        lambda name, _: f"{name} has no value; remove it",
    ),
    (
        re.compile(r"ambiguous option: (\S+) could match (.+)"),
        lambda name, options: f"{name} could mean {options.replace(', ', ' or ')}; write the whole option",
    ),
    (re.compile(r"argument (\S+): (.+)"), lambda name, problem: f"{name}: {problem}"),
)


class PlainArgumentParser(argparse.ArgumentParser):
    """Prints an error as one sentence, and the command that shows the help. The exit code is 2."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong to standard error, and exit."""
        self.exit(2, f"{self.prog.split()[0]}: {_problem(message)}; see {self.prog} --help\n")


def _problem(message: str) -> str:
    for pattern, explain in _WORDS:
        if (found := pattern.match(message)) is not None:
            return explain(*found.groups())
    return "this command is not understood"
