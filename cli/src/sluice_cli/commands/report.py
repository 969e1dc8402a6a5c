"""`kubectl sluice report`: a zip file for support, without secrets."""

from __future__ import annotations

import argparse
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from ..model.fields import text
from ..model.findings import DoctorReport
from ..model.fleet import Unseen
from ..model.redacted_objects import redacted
from ..text.printable import printable, wrap
from ..text.redaction import Redactor
from ..text.terminal import NARROW, Terminal
from ..views.documents import json_text
from ..views.findings import report_lines, unseen_lines
from .cluster_requests import CLUSTER_PAUSE, JOB, PAUSE
from .context import DONE, NOT_REACHED, Context, UsageError
from .doctor import POLICY, doctor_document, examine, read_pods
from .report_contents import collect, redacted_files, redactor_of
from .selection import Selection, selected_jobs, selection_of, unknown_names

_KINDS = (JOB, PAUSE, CLUSTER_PAUSE, POLICY)
_MODE = 0o600
_MEANINGS = {
    "README.txt": "this list",
    "doctor.txt": "what kubectl sluice doctor found",
    "doctor.json": "the same, as a document",
    "versions.json": "the versions of plugin, API, operator and Kubernetes",
    "jobs.json": "the IngestJobs with their status",
    "pauses.json": "IngestPauses and ClusterIngestPauses",
    "policies.json": "IngestPolicies",
    "pods.json": "the ingest pods",
    "events.json": "events of jobs, pauses, policies and ingest pods",
    "operator.json": "the Deployment of the operator",
    "operator-lease.json": "which replica of the operator leads",
    "operator-pods.json": "the pods of the operator",
    "operator-events.json": "events in the namespace of the operator",
}
_REDACTION = (
    "Secrets were not read. The values of environment variables and of annotations, and what looks like a key, a "
    "token, a password or a URL with a password, are replaced by (redacted). Read the files before you send them."
)


class _Report(NamedTuple):
    """The texts of the files by their names, and what could not be read."""

    files: dict[str, str]
    unseen: tuple[Unseen, ...]


def run_report(options: argparse.Namespace, context: Context) -> int:
    """Write the report. Return the exit code: 1 if there is no such job, or the file cannot be written."""
    selection = selection_of(options, [options.job] if options.job else [])
    if not selection.is_everywhere and not selection.namespace:
        selection = selection._replace(namespace=context.kubectl.current_namespace())
    if options.lines < 1:
        raise UsageError("--lines is the number of lines of each log: write 1 or more")
    path = options.file or f"sluice-report-{context.now():%Y%m%dT%H%M%SZ}.zip"
    if os.path.lexists(path):
        context.warn(f"{printable(path)} exists, and nothing was written. Name another file with -o.")
        return NOT_REACHED
    listing = context.kubectl.start_list(_KINDS, selection.scope).listing()
    if problems := unknown_names(listing.objects[JOB], selection):
        context.warn(*problems)
        return NOT_REACHED
    report = _read(options, context, selection, listing.objects)
    try:
        _write_zip(path, report.files, context.now())
    except OSError as error:
        context.warn(f"{printable(path)} cannot be written: {error.strerror}. Name another file with -o.")
        return NOT_REACHED
    context.write(*_lines(path, report, context.terminal.width))
    return DONE


def _read(
    options: argparse.Namespace, context: Context, selection: Selection, found: dict[str, list[dict[str, Any]]]
) -> _Report:
    jobs = selected_jobs(found[JOB], selection)
    names = {(text(each, "metadata", "namespace"), text(each, "metadata", "name")) for each in jobs}
    pods, unseen_pods = read_pods(context.kubectl, selection.namespace)
    own = {
        "jobs.json": jobs,
        "pauses.json": [*found[PAUSE], *found[CLUSTER_PAUSE]],
        "policies.json": found[POLICY],
        "pods.json": [each for each in pods if _key_of_pod(each) in names],
    }
    collected = collect(context.kubectl, own, selection.namespace, options.lines)
    doctor, _ = examine(context, selection)
    redactor = redactor_of(collected, hides_projects=options.hide_projects)
    files = {**redacted_files(collected, hides_projects=options.hide_projects), **_doctor_files(doctor, redactor)}
    unseen = tuple(dict.fromkeys((*collected.unseen, *unseen_pods, *doctor.unseen)))
    shown = tuple(each._replace(why=redactor.text(printable(each.why))) for each in unseen)
    return _Report({"README.txt": _read_me(files, shown), **files}, shown)


def _key_of_pod(pod: dict[str, Any]) -> tuple[str, str]:
    return text(pod, "metadata", "namespace"), text(pod, "metadata", "labels", "sluice.dev/job")


def _doctor_files(doctor: DoctorReport, redactor: Redactor) -> dict[str, str]:
    return {
        "doctor.txt": redactor.text("\n".join(report_lines(doctor, Terminal())) + "\n"),
        "doctor.json": json_text(redacted(doctor_document(doctor), redactor)) + "\n",
    }


def _read_me(files: Mapping[str, str], unseen: tuple[Unseen, ...]) -> str:
    lines = [
        "A report of kubectl sluice.",
        "",
        *wrap(_REDACTION, NARROW),
        "",
        *_file_lines({"README.txt": "", **files}),
    ]
    if unseen:
        lines += ["", *unseen_lines(unseen, NARROW)]
    return "\n".join(lines) + "\n"


def _file_lines(files: Mapping[str, str]) -> list[str]:
    """Return a line for each file, and one for all logs."""
    named = [f"{name:22} {_MEANINGS[name]}" for name in _MEANINGS if name in files]
    logs = sum(name.startswith("logs/") for name in files)
    return [*named, f"{'logs/':22} {logs} {'log' if logs == 1 else 'logs'} of pods"]


def _write_zip(path: str, files: Mapping[str, str], now: datetime) -> None:
    """Write the files into a new zip file that only its owner can read. Raises OSError if that is not possible."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                entry = zipfile.ZipInfo(name, now.timetuple()[:6])
                entry.external_attr = _MODE << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def _lines(path: str, report: _Report, width: int) -> list[str]:
    size = os.path.getsize(path)
    return [
        *(f"  {line}" for line in _file_lines(report.files)),
        *unseen_lines(report.unseen, width),
        f"{printable(os.path.abspath(path))} ({max(1, round(size / 1000))} kB, readable by you only)",
        *wrap(_REDACTION, width),
    ]
