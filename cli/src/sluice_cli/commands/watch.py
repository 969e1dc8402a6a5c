"""`kubectl sluice status -w`: redraws a terminal at most 5 times a second, and appends lines to other outputs."""

from __future__ import annotations

import argparse
import gc
import json
import queue
import subprocess
import threading
import time
from contextlib import suppress
from typing import Any

from ..contract import api_path
from ..model.fields import child, text
from ..model.job import JobStatus
from ..text.instants import short_instant
from ..text.terminal import terminal_size
from ..transport import Kubectl, TransportError
from ..views.glyphs import GLYPHS
from ..views.sentences import detail_text, state_text
from ..views.table import TableOptions, is_shown
from .cluster_requests import JOB, needs_pauses, start_requests
from .context import Context
from .reading import ClusterView, read_cluster
from .selection import Selection
from .status import output_lines

REDRAW_SECONDS = 0.2
AGES_SECONDS = 1.0  # ages advance without an event
READ_SECONDS = 10.0  # pauses and the operator's Lease are not watched
POLL_SECONDS = 2.0  # without permission to watch

_HOME, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[H", "\x1b[K\n", "\x1b[J"


class JobEvents:
    """Receives the changes of jobs from a kubectl process."""

    def __init__(self, kubectl: Kubectl, path: str) -> None:
        """`path` is the URL path of the jobs."""
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._process = kubectl.open_process("get", "--raw", f"{path}?watch=true")
        self._reader = threading.Thread(target=self._receive, daemon=True)
        self._reader.start()
        self.has_ended = False

    def take(self, seconds: float) -> list[dict[str, Any]]:
        """Return the events of the next `seconds`, as soon as there is one."""
        found: list[dict[str, Any]] = []
        try:
            event = self._events.get(timeout=seconds)
            while event is not None:
                found.append(event)
                event = self._events.get_nowait()
            self.has_ended = True
        except queue.Empty:
            pass
        return found

    def stop(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _receive(self) -> None:
        with suppress(ValueError):  # a line that was cut at the end, or words of kubectl
            for line in self._process.stdout or ():
                self._events.put(json.loads(line))
        self._events.put(None)


class Screen:
    """Shows the newest status."""

    def __init__(self, options: argparse.Namespace, context: Context, selection: Selection) -> None:
        self._options = options
        self._context = context
        self._selection = selection
        self._last_texts: dict[str, str] = {}

    def show(self, view: ClusterView) -> None:
        """Redraw the terminal; on another output, append a line for each job that changed."""
        if self._context.terminal.can_redraw:
            self._redraw(view)
        else:
            self._append_changes(view)

    def _redraw(self, view: ClusterView) -> None:
        status = view.status(self._selection, self._context.now())
        lines = [
            line
            for text in output_lines(self._options, self._context, view, self._selection, status)
            for line in text.split("\n")
        ]
        height = terminal_size(self._context.output, self._context.environment)[1] - 1
        if len(lines) > height:
            lines = [*lines[: height - 1], f"… {len(lines) - height + 1} more lines"]
        shown = "".join(self._context.terminal.to_output(line) + _CLEAR_LINE for line in lines)
        self._context.output.write(_HOME + shown + _CLEAR_BELOW)
        self._context.output.flush()

    def _append_changes(self, view: ClusterView) -> None:
        status = view.status(self._selection, self._context.now())
        table = TableOptions(only_paused=self._options.paused, only_stale=self._options.stale)
        names = {each.full_name for each in status.jobs}
        for name in [each for each in self._last_texts if each not in names]:
            del self._last_texts[name]
            self._context.write(f"{short_instant(status.at, status.at)} - {name} deleted")
        for job in status.jobs:
            if self._is_new(job) and is_shown(job, table):
                words = (short_instant(status.at, status.at), GLYPHS[job.state.level], job.full_name)
                said = (state_text(job, status.at), detail_text(job, status.at))
                self._context.write("  ".join(each for each in (*words, *said) if each))

    def _is_new(self, job: JobStatus) -> bool:
        """Return whether the state has changed, and remember it. Ages and counts alone are no change."""
        switches = ",".join(each.source for each in job.pause.switches) if job.pause else ""
        current = f"{job.state.level} {job.state.word} {job.state.reason} {switches}"
        is_new = self._last_texts.get(job.full_name) != current
        self._last_texts[job.full_name] = current
        return is_new


def watch_status(options: argparse.Namespace, context: Context, selection: Selection) -> int:
    """Show the status until the command is interrupted. Raises TransportError if the jobs cannot be read at first."""

    def read() -> ClusterView:
        return read_cluster(start_requests(context.kubectl, selection.scope, has_pauses=needs_pauses(options)))

    gc.enable()  # a watch has no end
    view = read()
    path = api_path(JOB, "" if selection.is_everywhere else _namespace(context, selection, view))
    screen = Screen(options, context, selection)
    if context.terminal.can_redraw:
        context.output.write(_HOME + _CLEAR_BELOW)
    while True:
        screen.show(view)
        events = JobEvents(context.kubectl, path)
        try:
            is_watched = _follow(events, view, screen)
        finally:
            events.stop()
        if not is_watched:
            context.sleep(POLL_SECONDS)
        try:
            view = read()
        except TransportError as error:
            context.warn(f"{error}; trying again")
            context.sleep(POLL_SECONDS)


def _follow(events: JobEvents, view: ClusterView, screen: Screen) -> bool:
    """Show the changes for some seconds. Return whether the API server permitted the watch."""
    jobs = {_key(each): each for each in view.documents}
    began_at = shown_at = time.monotonic()
    has_event = is_changed = False
    while time.monotonic() - began_at < READ_SECONDS and not events.has_ended:
        for event in events.take(REDRAW_SECONDS):
            has_event = is_changed = True
            _apply(event, jobs)
        since = time.monotonic() - shown_at
        if (is_changed and since >= REDRAW_SECONDS) or since >= AGES_SECONDS:
            screen.show(view.with_jobs(tuple(jobs.values())))
            shown_at, is_changed = time.monotonic(), False
    if is_changed:
        screen.show(view.with_jobs(tuple(jobs.values())))
    return has_event or not events.has_ended


def _apply(event: dict[str, Any], jobs: dict[str, dict[str, Any]]) -> None:
    job = child(event, "object")
    if text(event, "type") == "DELETED":
        jobs.pop(_key(job), None)
    elif text(event, "type") in ("ADDED", "MODIFIED"):
        jobs[_key(job)] = job


def _key(job: dict[str, Any]) -> str:
    return f"{text(job, 'metadata', 'namespace')}/{text(job, 'metadata', 'name')}"


def _namespace(context: Context, selection: Selection, view: ClusterView) -> str:
    first = next(iter(view.documents), {})
    return selection.namespace or text(first, "metadata", "namespace") or context.kubectl.current_namespace()
