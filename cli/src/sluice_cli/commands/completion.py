"""`kubectl sluice completion`, and the completions that kubectl asks for through `kubectl_complete-sluice`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence

from ..contract import contract
from ..transport import Kubectl, TransportError
from .context import DONE, Context

SCRIPT = """\
#!/bin/sh
# kubectl calls this to complete `kubectl sluice`. Save it as kubectl_complete-sluice, executable, on your PATH.
exec kubectl sluice __complete "$@"
"""
_NO_FILES, _FILES = ":4", ":0"  # kubectl's directives: whether the shell offers names of files
_VALUES = {
    "-o": ("json", "yaml", "name", "wide"),
    "--output": ("json", "yaml", "name", "wide"),
    "--color": ("auto", "always", "never"),
    "--since": ("10m", "1h", "2h", "24h"),
    "--level": ("debug", "info", "warning", "error", "critical"),
    "--for": ("15m", "30m", "1h", "4h"),
}
_TAKE_JOBS = ("status", "pause", "resume", "doctor", "report", "purge", "history", "symbols", "restart", "logs", "open")
_CLUSTER_OPTIONS = ("-n", "--namespace", "--context", "--kubeconfig", "--as")


def run_completion(options: argparse.Namespace, context: Context) -> int:
    """Write the script of the completion."""
    del options
    context.write(*SCRIPT.splitlines())
    return DONE


def completions(words: Sequence[str], commands: Mapping[str, Iterable[str]], kubectl: Kubectl) -> list[str]:
    """Return what can follow. The last of `words` is the beginning of the word to complete, and may be empty.

    `commands` has the options of each command.
    """
    *before, last = words or [""]
    found: Iterable[str]
    if before and before[-1] in ("-f", "--filename"):
        return [_FILES]
    command = next((each for each in before if each in commands), "")
    if command == "report" and before[-1] in ("-o", "--output"):
        return [_FILES]
    if before and before[-1] in _VALUES:
        found = _VALUES[before[-1]]
    elif before and before[-1] in ("-n", "--namespace"):
        found = _names(kubectl, "namespaces", [])
    elif not command:
        found = commands
    elif last.startswith("-"):
        found = commands[command]
    elif command in _TAKE_JOBS:
        found = (each for each in _names(kubectl, "ingestjobs.sluice.dev", _scope(before)) if each not in before)
    else:
        found = contract()["fields"] if command == "schema" else ()
    return [*sorted(each for each in found if each.startswith(last)), _NO_FILES]


def _scope(words: Sequence[str]) -> list[str]:
    """Return the options among the words that choose the cluster and the namespace."""
    pairs = zip(words, words[1:])
    return [f"{'--namespace' if name == '-n' else name}={value}" for name, value in pairs if name in _CLUSTER_OPTIONS]


def _names(kubectl: Kubectl, resource: str, options: Sequence[str]) -> list[str]:
    """Return the names of objects; none if they cannot be listed, because a completion shows no errors."""
    try:
        output = kubectl.run("get", resource, "-o", "name", "--request-timeout=2s", *options)
    except TransportError:
        return []
    return [each.partition("/")[2] for each in output.splitlines()]
