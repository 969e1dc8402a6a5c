"""Prints the status of all jobs as `kubectl sluice status -A` does, without the plugin on PATH."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.context import Context
from sluice_cli.commands.status import run_status
from sluice_cli.text.terminal import terminal_of
from sluice_cli.transport import Kubectl, TransportError
from sluice_devcluster.errors import DevclusterError

_WORDS = ("status", "-A")


def print_job_status(kubectl: Path, kubeconfig: Path) -> None:
    """Print the jobs of a cluster, the worst first. `kubectl` is the path of the program.

    Raises DevclusterError if the API server does not answer.
    """
    options = argument_parser(_WORDS).parse_args(_WORDS)
    terminal = terminal_of(sys.stdout, os.environ)
    cluster = Kubectl([f"--kubeconfig={kubeconfig}"], str(kubectl))
    try:
        run_status(options, Context(cluster, terminal, sys.stdout, sys.stderr, environment=os.environ))
    except TransportError as error:
        raise DevclusterError(f"The cluster's API server does not answer: run `make up`. {error}") from error
