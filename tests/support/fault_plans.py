"""Plans of faults: which workload runs, and what happens to which request or watch event. A text replays a plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

# What happens to the request, or to the event of a watch, that an address names.
KILL_BEFORE: Final = "kill-before"  # the operator is killed before its request is sent
KILL_COMMITTED: Final = "kill-committed"  # after the API server has committed it, before the response
KILL_ANSWERED: Final = "kill-answered"  # after the response
LOSE: Final = "lose"  # the connection ends instead of the response or the event
HOLD: Final = "hold"  # the response or the event arrives HOLD_SECONDS later
EXPIRE: Final = "expire"  # instead of the event, the watch ends with HTTP 410
GARBLE: Final = "garble"  # the response, or the line of the watch, breaks off in the middle of its JSON text

KILLS: Final = (KILL_BEFORE, KILL_COMMITTED, KILL_ANSWERED)
BREAKS: Final = (LOSE, GARBLE, EXPIRE)
LATE: Final = (HOLD, *BREAKS)
FAULTS: Final = (*KILLS, *LATE)
HOLD_SECONDS: Final = 2.5

LIST: Final = "LIST"
WATCH: Final = "WATCH"
# The Lease is renewed by time, so how often depends on the speed of the machine. Only the first request is an address.
_BY_TIME: Final = "leases"
_READS: Final = frozenset({"GET", LIST, WATCH})
_TEXT: Final = re.compile(
    r"(?P<workload>[a-z-]+): (?P<fault>[a-z-]+) (?P<verb>[A-Z]+) (?P<resource>\S+) (?P<number>\d+)"
)


class Address(msgspec.Struct, frozen=True, order=True):
    """A request by its verb, its resource and its number since the proxy was armed, from 1.

    With the verb WATCH it is an event of the watches of this resource.
    """

    verb: str
    resource: str
    number: int

    @property
    def is_write(self) -> bool:
        """Whether the request may change an object."""
        return self.verb not in _READS


class Plan(msgspec.Struct, frozen=True, order=True):
    """One fault in one workload. Without an address there is no fault: the reference run."""

    workload: str
    fault: str = ""
    address: Address = Address("", "", 0)

    def __str__(self) -> str:
        """Return the text that replays the plan."""
        at = self.address
        return f"{self.workload}: {self.fault} {at.verb} {at.resource} {at.number}" if self.fault else self.workload


def parse_plan(text: str) -> Plan:
    """Return the plan of a text, such as `create: lose POST pods 1`.

    Raises:
        ValueError: the text is not a plan.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None or found["fault"] not in FAULTS:
        raise ValueError(f'"{text}" is not a plan; write one such as "create: lose POST pods 1", a fault of {FAULTS}')
    return Plan(found["workload"], found["fault"], Address(found["verb"], found["resource"], int(found["number"])))


def resource_of_path(path: str) -> tuple[str, str]:
    """Return the resource of a URL path, such as `ingestjobs/status`, and the name of the object; both may be empty."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if parts[:1] == ["namespaces"] and len(parts) > 2:
        parts = parts[2:]
    resource, name, *rest = [*parts, "", ""][: max(2, len(parts))]
    return "/".join([resource, *rest]), name


def verb_of_request(method: str, path: str, is_watch: bool) -> str:
    """Return the verb of a request: its method, or GET, LIST or WATCH for a read."""
    if method != "GET":
        return method
    if is_watch:
        return WATCH
    return "GET" if resource_of_path(path)[1] else LIST


def plans_of_trace(workload: str, trace: Iterable[Address], faults: Iterable[str]) -> Iterator[Plan]:
    """Yield a plan for each fault at each address of a reference run. Only writes are the points of a kill."""
    chosen = tuple(faults)
    most = Counter((each.verb, each.resource) for each in trace)
    for (verb, resource), count in sorted(most.items()):
        for number in range(1, (1 if resource == _BY_TIME else count) + 1):
            address = Address(verb, resource, number)
            for fault in chosen:
                if _applies(fault, address):
                    yield Plan(workload, fault, address)


def _applies(fault: str, address: Address) -> bool:
    """Return whether a fault is possible at an address: a kill at a write, an end with 410 at an event."""
    if fault == EXPIRE:
        return address.verb == WATCH
    return fault in LATE or address.is_write
