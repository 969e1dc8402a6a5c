"""`kubectl sluice plan`: what an apply of files would do, before it is done."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..contract import contract
from ..model.fields import text
from ..model.fleet import Unseen
from ..model.plan.plan import Costs, Declared, Plan, plans_of_documents
from ..model.plan.write_costs import Prices
from ..text.layout import indented
from ..text.printable import wrap
from ..views.documents import document, formatted, plain_fields
from ..views.plan_text import plan_lines, summary_line
from .cluster_requests import JOB
from .context import DONE, NOT_REACHED, Context, UsageError
from .dry_run import DryRun
from .manifest_files import Manifest, read_manifest
from .plan_world import WorldRequests, read_world, start_world_requests

_JUDGEMENT = "the judgement of the API server"
_NO_NAME = "An IngestJob has no metadata.name: set it, because kubectl apply needs it."


class PlanList(NamedTuple):
    """The plans of all documents, what was ignored, and what could not be read or seen."""

    plans: tuple[Plan, ...]
    ignored: tuple[str, ...]
    unreadable: tuple[str, ...]
    unseen: tuple[Unseen, ...]

    @property
    def has_problem(self) -> bool:
        """Whether an apply would be refused, or a job would be stalled."""
        return bool(self.unreadable) or any(each.has_problem for each in self.plans)


def run_plan(options: argparse.Namespace, context: Context) -> int:
    """Show the plan of each IngestJob in the files. Return the exit code: 1 if one would be refused or stalled."""
    if not options.filename:
        raise UsageError("name a file or a folder with -f, or - for the standard input")
    requests = start_world_requests(context.kubectl)
    try:
        manifest = read_manifest(context.kubectl, options.filename, context.input, is_recursive=options.recursive)
        found = _plan_list(options, context, manifest, requests)
    finally:
        requests.discard()
    context.write(*_output_lines(options, context, found))
    if not found.plans and not found.ignored and not found.unreadable:
        return NOT_REACHED
    return NOT_REACHED if found.has_problem else DONE


def _plan_list(options: argparse.Namespace, context: Context, manifest: Manifest, requests: WorldRequests) -> PlanList:
    jobs = [each for each in manifest.documents if _is_job(each)]
    ignored = tuple(_name_of(each) for each in manifest.documents if not _is_job(each))
    unnamed = [each for each in jobs if not text(each, "metadata", "name")]
    manifest = manifest._replace(unreadable=(*manifest.unreadable, *(_NO_NAME for _ in unnamed)))
    jobs = [each for each in jobs if text(each, "metadata", "name")]
    if not jobs:
        return PlanList((), ignored, manifest.unreadable, ())
    jobs = _with_namespace(jobs, options, context)
    own = [text(each, "metadata", "name") for each in manifest.documents if text(each, "kind") == "Namespace"]
    dry_run = DryRun(context.kubectl, jobs, apply_options(options))
    try:
        world = read_world(
            context.kubectl,
            requests,
            (text(each, "metadata", "namespace") for each in jobs),
            (text(each, "spec", "tenant") for each in jobs),
        )
        judgements = dry_run.judgements(own)
    finally:
        dry_run.discard()
    live = {_key(each): each for each in world.jobs}
    manager = options.field_manager or ""
    declared = [
        Declared(each, live.get(_key(each)), judged, manifest.text, manager) for each, judged in zip(jobs, judgements)
    ]
    costs = Costs(options.viewers, Prices(options.price_per_100k_writes, options.price_per_100k_reads))
    plans = plans_of_documents(declared, world.jobs, world.policies, costs)
    unseen = [*world.unseen, *(Unseen(_JUDGEMENT, each.unseen) for each in judgements if each.unseen)]
    return PlanList(tuple(plans), ignored, manifest.unreadable, tuple(dict.fromkeys(unseen)))


def _is_job(each: dict[str, Any]) -> bool:
    return text(each, "kind") == JOB and text(each, "apiVersion").startswith(f"{contract()['group']}/")


def _key(each: dict[str, Any]) -> tuple[str, str]:
    return text(each, "metadata", "namespace"), text(each, "metadata", "name")


def _name_of(each: dict[str, Any]) -> str:
    return f"{text(each, 'kind')}/{text(each, 'metadata', 'name')}"


def apply_options(options: argparse.Namespace) -> list[str]:
    """Return the options of kubectl apply that the command line has."""
    return [
        *(["--server-side"] if options.server_side else []),
        *([f"--field-manager={options.field_manager}"] if options.field_manager else []),
        *(["--force-conflicts"] if options.force_conflicts else []),
    ]


def _with_namespace(
    jobs: Sequence[dict[str, Any]], options: argparse.Namespace, context: Context
) -> list[dict[str, Any]]:
    """Return the documents, each with the namespace in which an apply would store it.

    Raises:
        UsageError: a document names another namespace than the option, which kubectl refuses.
    """
    default = options.namespace
    found = []
    for each in jobs:
        given = text(each, "metadata", "namespace")
        if given and options.namespace and given != options.namespace:
            raise UsageError(f"{_name_of(each)} is in namespace {given}: leave -n out, or name that namespace")
        if not given and not default:
            default = context.kubectl.current_namespace()
        found.append({**each, "metadata": {**each["metadata"], "namespace": given or default}})
    return found


def _output_lines(options: argparse.Namespace, context: Context, found: PlanList) -> list[str]:
    if options.output in ("json", "yaml"):
        content = {
            "items": [_with_verdict(each) for each in found.plans],
            "ignored": found.ignored,
            "unreadable": found.unreadable,
            "not_visible": found.unseen,
        }
        shown = document("PlanList", content)
        return [formatted(options.output, shown)]
    lines = []
    for each in found.plans:
        lines += [*plan_lines(each, context.terminal), ""]
    return [*lines, *_footer(options, context, found)]


def _with_verdict(plan: Plan) -> dict[str, Any]:
    return {**plain_fields(plan._asdict()), "problem": plan.has_problem}


def _footer(options: argparse.Namespace, context: Context, found: PlanList) -> list[str]:
    width = context.terminal.width
    lines = [line for each in found.unreadable for line in indented(each, width, "  ", "✗ ")]
    if found.plans:
        lines.append(summary_line(found.plans))
    elif not found.unreadable:
        lines.append("There is no IngestJob in the files.")
    if found.ignored:
        lines += wrap(f"Ignored, because they are not IngestJobs: {', '.join(found.ignored)}", width)
    lines += [f"Not visible: {each.what} ({each.why})" for each in found.unseen]
    if found.plans and not found.has_problem and any(each.action != "unchanged" for each in found.plans):
        lines.append(f"Next: {_apply_command(options)}")
    return lines


def _apply_command(options: argparse.Namespace) -> str:
    import shlex  # noqa: PLC0415  only the last line needs it

    names = " ".join(f"-f {shlex.quote(each)}" for each in options.filename)
    recursive = " -R" if options.recursive else ""
    namespace = f" -n {shlex.quote(options.namespace)}" if options.namespace else ""
    return " ".join(["kubectl apply", *apply_options(options), names]) + recursive + namespace
