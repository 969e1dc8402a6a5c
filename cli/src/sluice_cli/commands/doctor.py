"""`kubectl sluice doctor`: what is wrong, and what to do about each finding."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from ..model.fields import objects, text
from ..model.findings import DoctorReport, Finding, sorted_findings
from ..model.fleet import Unseen, pause_view
from ..model.installation import not_installed_finding
from ..model.job import JobStatus, key_of_job, status_of_job
from ..model.job_findings import job_findings
from ..model.pause_findings import pause_findings, policy_findings
from ..model.pauses import JobKey, pause_of
from ..model.pod_findings import pod_findings, secret_needs
from ..transport import Kubectl, Listing, NotServedError, TransportError
from ..views.documents import document, formatted
from ..views.findings import report_lines
from .cluster_requests import CLUSTER_PAUSE, JOB, PAUSE
from .context import DONE, NOT_REACHED, Context
from .installation_requests import InstallationRequests
from .permission_requests import PermissionRequests
from .reading import finished, unseen_kinds
from .secret_requests import read_secret_findings
from .selection import Selection, selected_jobs, selection_of, unknown_names
from .version import operator_skew

POLICY = "IngestPolicy"
_KINDS = (JOB, PAUSE, CLUSTER_PAUSE, POLICY)
_OWN_PODS = quote("app.kubernetes.io/managed-by=sluice-operator", safe="")


class JobsView(NamedTuple):
    """The objects that `doctor` checks, and what could not be read."""

    documents: tuple[dict[str, Any], ...]
    pauses: tuple[dict[str, Any], ...]
    policies: tuple[dict[str, Any], ...]
    pods: tuple[dict[str, Any], ...]
    statuses: tuple[JobStatus, ...]
    unseen: tuple[Unseen, ...]


def run_doctor(options: argparse.Namespace, context: Context) -> int:
    """Check the installation and the jobs. Return the exit code: 1 if there is a problem, or no such job."""
    selection = selection_of(options, [options.job] if options.job else [])
    if not selection.is_everywhere and not selection.namespace:
        selection = selection._replace(namespace=context.kubectl.current_namespace())
    try:
        report, problems = examine(context, selection)
    except NotServedError:
        report, problems = DoctorReport(context.now(), (not_installed_finding(),), (), ()), []
    if problems:
        context.warn(*problems)
        return NOT_REACHED
    if options.output in ("json", "yaml"):
        found = doctor_document(report)
        context.write(formatted(options.output, found))
    else:
        context.write(*report_lines(report, context.terminal))
    return NOT_REACHED if report.has_problem else DONE


def doctor_document(report: DoctorReport) -> dict[str, Any]:
    """Return the report as a document of the kind DoctorReport."""
    content = {
        "at": report.at,
        "findings": report.findings,
        "counts": report.counts,
        "checked": report.checked,
        "not_visible": report.unseen,
    }
    return document("DoctorReport", content)


def examine(context: Context, selection: Selection) -> tuple[DoctorReport, list[str]]:
    """Return the findings about the selected jobs and the installation, and a sentence about each unknown name.

    Raises:
        NotServedError: Sluice is not installed.
        TransportError: the jobs cannot be read.
    """
    namespace = selection.namespace or context.kubectl.current_namespace()
    listing = context.kubectl.start_list(_KINDS, selection.scope)
    installation, permissions = InstallationRequests(context.kubectl), PermissionRequests(context.kubectl, namespace)
    try:
        view, problems = _read_jobs(context, selection, listing.listing())
        if problems:
            return DoctorReport(context.now(), (), (), ()), problems
        return _report(context, view, installation, permissions), []
    finally:
        installation.discard()
        permissions.discard()


def _report(
    context: Context, view: JobsView, installation: InstallationRequests, permissions: PermissionRequests
) -> DoctorReport:
    now = context.now()
    secrets, unseen_secrets, seen_secrets = read_secret_findings(
        context.kubectl, (need for each in view.documents for need in secret_needs(each))
    )
    of_rights, unseen_rights = permissions.findings()
    skew, unseen_version = operator_skew(context)
    reports = [each.heartbeat_at for each in view.statuses if each.heartbeat_at is not None]
    findings = [
        *installation.findings(context, skew, max(reports, default=None)),
        *_object_findings(view, now),
        *secrets,
        *of_rights,
    ]
    unseen = (*view.unseen, *unseen_secrets, *installation.unseen, *unseen_version, *unseen_rights)
    return DoctorReport(now, sorted_findings(findings), _checked(view, seen_secrets), unseen)


def _read_jobs(context: Context, selection: Selection, listing: Listing) -> tuple[JobsView, list[str]]:
    if problems := unknown_names(listing.objects[JOB], selection):
        return JobsView((), (), (), (), (), ()), problems
    documents = selected_jobs(listing.objects[JOB], selection)
    pods, unseen_pods = read_pods(context.kubectl, selection.namespace)
    keys = [key_of_job(each) for each in documents]
    pauses = [each for kind in (PAUSE, CLUSTER_PAUSE) for each in listing.objects[kind]]
    view, now = pause_view(listing.objects, listing.unseen), context.now()
    return JobsView(
        tuple(documents),
        tuple(each for each in pauses if not selection.names or _covers_one(each, keys)),
        () if selection.names else tuple(listing.objects[POLICY]),  # the job itself says which policy would deny it
        tuple(each for each in pods if not selection.names or _job_of_pod(each) in selection.names),
        tuple(status_of_job(each, view, now) for each in documents),
        (*unseen_kinds(listing), *unseen_pods),
    ), []


def read_pods(kubectl: Kubectl, namespace: str) -> tuple[list[dict[str, Any]], tuple[Unseen, ...]]:
    """Return the ingest pods of a namespace, or of all if it is empty, and what could not be seen."""
    path = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"
    try:
        found = json.loads(finished(kubectl.start_read(f"{path}?labelSelector={_OWN_PODS}")))
    except TransportError:
        return [], (Unseen("pods", "you may not list pods"),)
    return objects(found, "items"), ()


def _covers_one(pause: dict[str, Any], jobs: list[JobKey]) -> bool:
    return any(pause_of(pause).covers(each) for each in jobs)


def _job_of_pod(pod: dict[str, Any]) -> str:
    return text(pod, "metadata", "labels", "sluice.dev/job")


def _object_findings(view: JobsView, now: datetime) -> list[Finding]:
    return [
        *(each for job, status in zip(view.documents, view.statuses) for each in job_findings(job, status, now)),
        *(each for pod in view.pods for each in pod_findings(pod, now)),
        *pause_findings(map(pause_of, view.pauses), now),
        *policy_findings(view.policies),
    ]


def _checked(view: JobsView, secrets: int) -> tuple[str, ...]:
    counts = {
        "job": len(view.documents),
        "pod": len(view.pods),
        "Secret": secrets,
        "pause": len(view.pauses),
        "policy": len(view.policies),
    }
    plural = {"policy": "policies"}
    words = (f"{count} {name if count == 1 else plural.get(name, f'{name}s')}" for name, count in counts.items())
    return (*words, "the installation", "your permissions")
