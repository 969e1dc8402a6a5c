"""`python -m sluice_manifests`: the chart, the tools, the release. `make` calls it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sluice_manifests import release
from sluice_manifests.chart import chart, write
from sluice_manifests.errors import ManifestsError
from sluice_manifests.objects import kustomized
from sluice_manifests.progress import Progress
from sluice_manifests.tools import kubectl, tools


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, or 1 after saying on stderr what went wrong."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except ManifestsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    progress = Progress()
    if options.command == "tools":
        found = tools(progress)
        print(found.helm, found.kubeconform, sep="\n")
    elif options.command == "chart":
        write(chart(kustomized(kubectl(progress), options.root / "manifests/base")), options.folder)
    elif options.command == "check":
        release.check(options.root, options.version)
    else:
        programs = kubectl(progress), tools(progress).helm
        for path in release.write(options.root, options.version, options.repository, programs):
            print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sluice_manifests")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's folder (default: this one)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tools", help="build helm and kubeconform if they are missing, and print where they are")
    made = commands.add_parser("chart", help="write the Helm chart that the base makes")
    made.add_argument("folder", type=Path)
    checked = commands.add_parser("check", help="say what keeps a release back")
    released = commands.add_parser("release", help="write a release's files")
    released.add_argument("--repository", default="", help="where the images are pulled from, as host/path")
    for command in (checked, released):
        command.add_argument("version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
