"""The pause that a command line asks for, and the object that states it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..contract import contract
from ..model.pauses import CLUSTER_PAUSE, PAUSE
from ..model.selector import selector_document
from ..text.instants import instant_text, parse_duration, parse_end
from .context import UsageError
from .selection import Selection

_MOST_JOBS, _MOST_SYMBOLS, _REASON_CHARACTERS = 100, 200, 256
_MOST_PREFIX = 57  # the API server adds five characters, and a name has 63 at most


class PauseRequest(NamedTuple):
    """What is asked for: the jobs, or the providers of the fleet, and why, until when, and which symbols."""

    selection: Selection
    is_fleet: bool
    providers: tuple[tuple[str, tuple[str, ...]], ...]
    symbols: tuple[str, ...]
    reason: str
    until: datetime | None

    @property
    def kind(self) -> str:
        """The kind of the object."""
        return CLUSTER_PAUSE if self.is_fleet else PAUSE

    def document(self, author: str) -> dict[str, Any]:
        """Return the object. Without an `author`, it is not signed."""
        spec = {
            **self._what(),
            **({"symbols": list(self.symbols)} if self.symbols else {}),
            "reason": self.reason,
            **({"until": instant_text(self.until)} if self.until else {}),
            **({"by": author} if author else {}),
        }
        metadata = {"generateName": self._prefix()}
        return {"apiVersion": contract()["apiVersion"], "kind": self.kind, "metadata": metadata, "spec": spec}

    def _what(self) -> dict[str, Any]:
        if self.is_fleet:
            providers = [{"name": name, **({"feeds": list(feeds)} if feeds else {})} for name, feeds in self.providers]
            return {"providers": providers} if providers else {}
        if self.selection.names:
            return {"jobs": list(self.selection.names)}
        return {"jobSelector": selector_document(self.selection.labels or frozenset())}

    def _prefix(self) -> str:
        if self.is_fleet:
            name = "-".join(each for each, _ in self.providers) or "fleet"
        elif self.selection.names:
            name = self.selection.names[0]
        else:
            name = "all" if self.selection.is_all else "selected"
        return name[:_MOST_PREFIX] + "-"

    def replaced_names(self, names: Sequence[str]) -> PauseRequest:
        """Return the request for some of the named jobs."""
        return self._replace(selection=self.selection._replace(names=tuple(names)))


def pause_request(options: argparse.Namespace, selection: Selection, now: datetime) -> PauseRequest:
    """Return the pause that the options ask for.

    Raises:
        UsageError: the options do not fit together, or a value is out of bounds.
    """
    _require_one_selection(options, selection)
    reason = (options.reason or "").strip()
    if not reason:
        raise UsageError('say why, for the people who will see the pause: --reason "vendor incident"')
    if len(reason) > _REASON_CHARACTERS:
        raise UsageError(f"the reason can have at most {_REASON_CHARACTERS} characters")
    if len(selection.names) > _MOST_JOBS:
        raise UsageError(f"a pause can name at most {_MOST_JOBS} jobs: select them with -l or --all")
    symbols = tuple(dict.fromkeys(each.strip().upper() for each in (options.symbols or "").split(",") if each.strip()))
    if len(symbols) > _MOST_SYMBOLS:
        raise UsageError(f"a pause can name at most {_MOST_SYMBOLS} symbols: pause the whole job")
    return PauseRequest(selection, options.fleet, _providers(options.provider), symbols, reason, _end(options, now))


def _require_one_selection(options: argparse.Namespace, selection: Selection) -> None:
    chosen = [bool(selection.names), selection.labels is not None, selection.is_all, options.fleet]
    if sum(chosen) != 1:
        raise UsageError(
            "say what to pause with one of these: job names, -l SELECTOR, --all (of the namespace), --fleet"
        )
    if options.provider and not options.fleet:
        raise UsageError("--provider narrows --fleet: add --fleet, or name the jobs")
    if options.fleet and options.namespace:
        raise UsageError("--fleet is for all namespaces: leave -n out, or pause one namespace with --all")


def _providers(given: Sequence[str] | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each provider with its feeds, from values such as `alpaca` and `alpaca:sip`."""
    feeds: dict[str, list[str]] = {}
    for each in given or ():
        name, _, feed = each.partition(":")
        feeds.setdefault(name, []).append(feed)
    return tuple((name, () if "" in found else tuple(dict.fromkeys(found))) for name, found in feeds.items())


def _end(options: argparse.Namespace, now: datetime) -> datetime | None:
    if options.duration and options.until:
        raise UsageError("write --for or --until, not both")
    if options.duration:
        duration = parse_duration(options.duration)
        if duration is None or duration > timedelta(days=3650):
            raise UsageError(f"--for {options.duration} is not a duration: write it like 30m, 2h or 1h30m")
        return now + duration
    if not options.until:
        return None
    end = parse_end(options.until, now)
    if end is None:
        raise UsageError(f"--until {options.until} is not a time: write it like 14:00Z or 2026-11-28T14:00:00Z")
    if end <= now:
        raise UsageError(f"--until {options.until} has passed: it is now {instant_text(now)}")
    return end
