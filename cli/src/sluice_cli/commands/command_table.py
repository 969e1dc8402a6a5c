"""The commands: the help of each, its arguments, and the function that runs it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from .argument_groups import FORMATS, add_document_output, add_namespace, add_selector, add_timeout, count, price
from .context import Context
from .inspection_arguments import add_history, add_logs, add_open, add_restart, add_schema, add_symbols

Run = Callable[[argparse.Namespace, Context], int]


class Command(NamedTuple):
    """A command: its help, what adds its arguments, and the module and function that run it."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    module: str
    function: str


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="?", metavar="JOB", help="show one job as a tree; NAMESPACE/JOB works too")
    add_namespace(parser, has_all=True)
    add_selector(parser)
    parser.add_argument("-o", "--output", choices=(*FORMATS, "wide"), default="", help="default: text")
    parser.add_argument("-w", "--watch", action="store_true", help="show changes until you press Ctrl-C")
    parser.add_argument(
        "--check", action="store_true", help="exit 1 unless each job streams, is paused or has finished"
    )
    parser.add_argument("--paused", action="store_true", help="only paused jobs and symbols, with what ends each pause")
    parser.add_argument("--stale", action="store_true", help="only jobs with stale symbols, or whose pod is silent")


def _add_pause(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="the jobs to pause")
    add_namespace(parser, has_all=False)
    add_selector(parser)
    parser.add_argument("--all", action="store_true", help="every job of the namespace, also one created later")
    parser.add_argument(
        "--fleet", action="store_true", help="every job in every namespace; asks for the number of feeds"
    )
    parser.add_argument(
        "--provider",
        action="append",
        metavar="NAME[:FEED]",
        help="with --fleet: only this provider, or this feed of it",
    )
    parser.add_argument("--symbols", metavar="A,B", help="only these symbols; the others stream on")
    parser.add_argument("--for", dest="duration", metavar="30m", help="how long; default: until you resume")
    parser.add_argument("--until", metavar="TIME", help="the end: 14:00Z, or 2026-11-28T14:00:00Z")
    parser.add_argument("--reason", help="why, for the people who will see the pause; required")
    add_timeout(parser, "30s", "how long to wait for the acknowledgement; 0s: do not wait")
    parser.add_argument("-o", "--output", choices=FORMATS, default="", help="default: text")


def _add_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="the jobs to resume")
    add_namespace(parser, has_all=False)
    add_selector(parser)
    parser.add_argument(
        "--all", action="store_true", help="every job of the namespace: deletes all its IngestPauses of jobs"
    )
    parser.add_argument("--pause", metavar="NAME", help="delete this IngestPause, whatever it covers")
    parser.add_argument("--fleet", action="store_true", help="with --pause: it is a ClusterIngestPause")
    add_timeout(parser, "30s", "how long to wait until the jobs stream; 0s: do not wait")
    parser.add_argument("-o", "--output", choices=FORMATS, default="", help="default: text")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="?", metavar="JOB", help="check one job only; NAMESPACE/JOB works too")
    add_namespace(parser, has_all=True)
    add_selector(parser)
    add_document_output(parser)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", nargs="?", metavar="JOB", help="one job only; NAMESPACE/JOB works too")
    add_namespace(parser, has_all=True)
    add_selector(parser)
    parser.add_argument(
        "-o", "--output", dest="file", default="", metavar="FILE", help="default: sluice-report-TIME.zip in this folder"
    )
    parser.add_argument("--lines", type=int, default=2000, metavar="2000", help="how many lines of each log")
    parser.add_argument("--hide-projects", action="store_true", help="replace the names of Firestore's projects, too")


def _add_purge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="the paused job; NAMESPACE/JOB works too")
    add_namespace(parser, has_all=False)
    parser.add_argument("--dry-run", action="store_true", help="count the documents, and delete none")
    parser.add_argument("--delete-job", action="store_true", help="also delete the job, and what its pod writes last")
    add_timeout(parser, "2m", "how long to wait for the pod that deletes")
    add_document_output(parser)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f", "--filename", action="append", metavar="FILE", help="a file, a folder, or - for the standard input"
    )
    parser.add_argument("-R", "--recursive", action="store_true", help="also the folders in a folder")
    add_namespace(parser, has_all=False)
    parser.add_argument("--server-side", action="store_true", help="plan kubectl apply --server-side")
    parser.add_argument("--force-conflicts", action="store_true", help="as for kubectl apply --server-side")
    parser.add_argument("--field-manager", metavar="NAME", help="as for kubectl apply, such as argocd-controller")
    parser.add_argument(
        "--viewers", type=count, default=1, metavar="N", help="readers that show all symbols; default: 1"
    )
    parser.add_argument("--price-per-100k-writes", type=price, metavar="0.09", help="beyond the free quota of a day")
    parser.add_argument("--price-per-100k-reads", type=price, metavar="0.03", help="beyond the free quota of a day")
    add_document_output(parser)


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--client", action="store_true", help="only the plugin's own version")
    add_document_output(parser)


def _add_nothing(parser: argparse.ArgumentParser) -> None:
    del parser


COMMANDS = {
    "status": Command("show the jobs, the worst first; or one job as a tree", _add_status, "status", "run_status"),
    "pause": Command("stop jobs, symbols or the fleet, with a reason", _add_pause, "pause", "run_pause"),
    "resume": Command("end pauses, and name what still holds", _add_resume, "resume", "run_resume"),
    "history": Command("what happened: changes, gaps, pauses, pods, events", add_history, "history", "run_history"),
    "symbols": Command("show each symbol of a job: state, quote, pace, reason", add_symbols, "symbols", "run_symbols"),
    "restart": Command("replace the pod of a job, and show the gap it cost", add_restart, "restart", "run_restart"),
    "logs": Command("show the log of a job's pod, in lines for people", add_logs, "logs", "run_logs"),
    "open": Command("print or open the link to a job on the page", add_open, "open_page", "run_open"),
    "schema": Command("explain a field: hot or cold, bounds, default", add_schema, "schema", "run_schema"),
    "doctor": Command("find what is wrong, with what to do about it", _add_doctor, "doctor", "run_doctor"),
    "report": Command("write a zip file for support, without secrets", _add_report, "report", "run_report"),
    "purge": Command("delete the Firestore documents of a paused job", _add_purge, "purge", "run_purge"),
    "plan": Command("show what an apply of files would do, without doing it", _add_plan, "plan", "run_plan"),
    "version": Command("show the versions of plugin, API and operator", _add_version, "version", "run_version"),
    "completion": Command("print the script kubectl_complete-sluice", _add_nothing, "completion", "run_completion"),
}
