"""The command `sluice-devcluster`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from sluice_devcluster import binaries, cluster, kind_site
from sluice_devcluster.errors import DevclusterError
from sluice_devcluster.layout import StateDirectory
from sluice_manifests.progress import ProgressPrinter


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; print a DevclusterError on stderr without a traceback."""
    options = _argument_parser().parse_args(arguments)
    try:
        return _run_command(options)
    except DevclusterError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run_command(options: argparse.Namespace) -> int:
    if options.command == "build":
        found = binaries.provide_binaries(ProgressPrinter())
        for path in (found.etcd, found.apiserver, found.controller_manager, found.kubectl):
            print(path)
        return 0
    state = StateDirectory(options.state.resolve())
    if options.command == "up":
        return _run_up(state, options)
    if options.command == "down":
        with cluster.hold_lock(state):
            _stop_cluster(state)
        return 0
    if options.command == "status":
        healthy, lines = cluster.status(state)
        print("\n".join(lines))
        return 0 if healthy else 1
    return _print_setting(state, options.command)


def _run_up(state: StateDirectory, options: argparse.Namespace) -> int:
    up_options = cluster.UpOptions(
        crds=options.crds,
        bin_dir=options.bin_dir,
        emulator=options.emulator,
        rules=options.rules,
        restart_backoff_seconds=options.restart_backoff_seconds,
    )
    with cluster.hold_lock(state):
        asyncio.run(cluster.up(state, up_options, ProgressPrinter()))
    print(f"export KUBECONFIG={state.kubeconfig_file}")
    return 0


def _stop_cluster(state: StateDirectory) -> None:
    kind = state.load_kind_settings()
    if kind is None:
        cluster.down(state, ProgressPrinter())
    else:
        kind_site.down(state, kind, ProgressPrinter())


def _print_setting(state: StateDirectory, command: str) -> int:
    settings = state.load_site_settings()
    if settings is None:
        raise DevclusterError(
            f"There is no cluster in {state.root}: start one with `make up` or `sluice-devcluster up`."
        )
    if command == "kubeconfig":
        print(state.kubeconfig_file)
        return 0
    if settings.firestore_emulator_host is None:
        raise DevclusterError("This devcluster has no Firestore emulator: run `up` again with --emulator.")
    print(settings.firestore_emulator_host)
    return 0


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sluice-devcluster", description="A Kubernetes cluster without containers, for development and tests."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the programs that are missing and print the paths of all programs")
    texts = {
        "up": "start the cluster, or the parts of it that do not run",
        "down": "stop everything that `up` started",
        "status": "print which processes run; exit status 1 unless all of them run",
        "kubeconfig": "print the path of the kubeconfig",
        "firestore-emulator-host": "print the emulator's host:port",
    }
    made = {name: commands.add_parser(name, help=text) for name, text in texts.items()}
    for command in made.values():
        command.add_argument("--state", type=Path, required=True, help="the directory for all files of this cluster")
    up = made["up"]
    up.add_argument("--crds", type=Path, help="apply the CustomResourceDefinitions in this directory")
    up.add_argument("--bin-dir", type=Path, help="put this directory first on the PATH of every pod")
    up.add_argument("--emulator", action="store_true", help="also start the Firestore emulator")
    up.add_argument("--rules", type=Path, help="start the emulator with this file of security rules")
    up.add_argument(
        "--restart-backoff-seconds", type=float, default=10.0, help="base of the restart back-off (default 10)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
