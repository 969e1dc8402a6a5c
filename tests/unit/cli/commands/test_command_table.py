import importlib

import pytest

from sluice_cli.commands.command_table import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_names_the_function_that_runs_it(name: str) -> None:
    command = COMMANDS[name]
    assert callable(getattr(importlib.import_module(f"sluice_cli.commands.{command.module}"), command.function))
