"""The health of the destinations besides the document store, whose health is in `sink_health`."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime

from ..domain.health import DestinationReport, PublishedKind
from .instruments import Instruments

_log = logging.getLogger(__name__)


class DestinationHealth:
    """The health of one destination. The destination records its results here."""

    def __init__(self, name: str, instruments: Instruments) -> None:
        self._name = name
        self._instruments = instruments
        self._failure: str | None = None
        self._failing_since: datetime | None = None
        self._last_sent_at: datetime | None = None
        self._sent: Counter[PublishedKind] = Counter()
        self._dropped: Counter[PublishedKind] = Counter()

    def record_sent(self, kind: PublishedKind, count: int) -> None:
        """Record that the destination has accepted data. A recovery is logged."""
        self._sent[kind] += count
        self._last_sent_at = self._instruments.now()
        if self._failing_since is not None:
            self._failure = self._failing_since = None
            _log.warning("%s recovered", self._name, extra={"event_type": "destination"})

    def record_failure(self, message: str) -> None:
        """Record that an attempt has failed. The first failure is logged; `message` contains no secrets."""
        self._failure = message
        if self._failing_since is None:
            self._failing_since = self._instruments.now()
            _log.warning("%s fails: %s", self._name, message, extra={"event_type": "destination"})

    def record_dropped(self, kind: PublishedKind, count: int) -> None:
        """Record data that will not be sent."""
        self._dropped[kind] += count

    def report(self) -> DestinationReport:
        """Return the health at this instant."""
        return DestinationReport(
            name=self._name,
            failure=self._failure,
            failing_since=self._failing_since,
            last_sent_at=self._last_sent_at,
            sent=dict(self._sent),
            dropped=dict(self._dropped),
        )


class DestinationHealths:
    """The health of each destination, by name."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._healths: dict[str, DestinationHealth] = {}

    def health_of(self, name: str) -> DestinationHealth:
        """Return the health of a destination, which is created with the first call."""
        if name not in self._healths:
            self._healths[name] = DestinationHealth(name, self._instruments)
        return self._healths[name]

    def reports(self) -> list[DestinationReport]:
        """Return the health of all destinations at this instant."""
        return [each.report() for each in self._healths.values()]
