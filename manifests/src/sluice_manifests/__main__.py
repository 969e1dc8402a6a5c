"""The command `python -m sluice_manifests`, which `make` calls: it builds the chart, the dashboards, the tools and a
release."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sluice_manifests import release
from sluice_manifests.base_images import digest_in_registry, lock_base_images
from sluice_manifests.catalog import read_chart_annotations
from sluice_manifests.chart import (
    build_components,
    chart_files,
    replace_folder_with_chart,
    version_from_operator_image,
)
from sluice_manifests.dashboards import write_dashboards
from sluice_manifests.errors import ManifestsError
from sluice_manifests.objects import build_kustomization
from sluice_manifests.progress import ProgressPrinter
from sluice_manifests.tools import find_or_build_kubectl, find_or_build_tools, run_and_return_output


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Return 0, or 1 after the error is printed to stderr."""
    options = _argument_parser().parse_args(arguments)
    try:
        _run_command(options)
    except ManifestsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run_command(options: argparse.Namespace) -> None:
    progress = ProgressPrinter()
    if options.command == "tools":
        found = find_or_build_tools(progress)
        print(found.helm, found.kubeconform, sep="\n")
    elif options.command == "chart":
        kubectl = find_or_build_kubectl(progress)
        base = build_kustomization(kubectl, options.root / "manifests/base")
        annotations = read_chart_annotations(options.root, version_from_operator_image(base))
        files = chart_files(base, build_components(kubectl, options.root), annotations)
        replace_folder_with_chart(files, options.folder)
    elif options.command == "dashboards":
        write_dashboards(options.folder)
    elif options.command == "check":
        release.check_release(options.root, options.version)
    elif options.command == "lock-images":
        for image in lock_base_images(options.root, digest_in_registry(options.docker, run_and_return_output)):
            print(f"{image.argument}={image.reference}")
    else:
        programs = release.ReleasePrograms(find_or_build_kubectl(progress), find_or_build_tools(progress).helm)
        source = release.commit_of(options.root, options.source)
        addresses = release.Addresses(options.repository, options.download_url)
        for path in release.write_release_files(options.root, options.version, addresses, programs, source):
            print(path)


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sluice_manifests")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's root (default: the current folder)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tools", help="build helm and kubeconform if they are missing, and print their paths")
    made = commands.add_parser(
        "chart", help="write the Helm chart that is generated from the other folders of manifests"
    )
    drawn = commands.add_parser("dashboards", help="write the Grafana dashboards")
    for command in (made, drawn):
        command.add_argument("folder", type=Path)
    checked = commands.add_parser("check", help="print the problems that prevent a release")
    released = commands.add_parser("release", help="write the files of a release")
    released.add_argument("--repository", default="", help="where to pull the images from, as host/path")
    released.add_argument("--download-url", default="", help="where the files are downloaded from, as an https URL")
    released.add_argument("--source", default="unknown", help="the URL of this repository, for the provenance")
    locked = commands.add_parser("lock-images", help="write the digests of the base images into base-images.txt")
    locked.add_argument("--docker", default="docker", help="Docker's command")
    for command in (checked, released):
        command.add_argument("version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
