"""Build the section about the states of the stream in docs/ingestjob.md: two tables and a diagram in Mermaid."""

from __future__ import annotations

from collections.abc import Iterator

from .status import StreamState
from .stream_states import ACTIVE_STATES, STREAM_STATES, STREAM_TRANSITIONS, TRANSITION_CAUSES, StreamTransition

_HEAD = """\
## States of the stream

The pod reports one of these states in `status.stream.state`.

| state | meaning |
| --- | --- |
"""
_DIAGRAM = """\

Each arrow has the causes of its transition, which the table below explains. An arrow that begins at the frame begins at
every state in the frame. A process begins with `Stopped`.

"""
_TRANSITIONS = """\

| cause | from | to | meaning |
| --- | --- | --- | --- |
"""
_GROUP = "Active"


def stream_state_section() -> str:
    """Return the section with its heading."""
    states = (f"| `{state}` | {meaning} |" for state, meaning in STREAM_STATES.items())
    transitions = map(_transition_row, STREAM_TRANSITIONS)
    diagram = ("```mermaid", *diagram_lines(), "```", "")
    parts = (_HEAD + "\n".join(states), _DIAGRAM + "\n".join(diagram) + _TRANSITIONS + "\n".join(transitions), "")
    return "\n".join(parts)


def diagram_lines() -> Iterator[str]:
    """Yield the lines of a state diagram in Mermaid. Arrows between active states are inside the frame."""
    outside, inside = [], []
    for (before, after), causes in TRANSITION_CAUSES.items():
        if before in ACTIVE_STATES and after in ACTIVE_STATES:
            inside.append(_arrow(before, after, causes))
        elif before not in ACTIVE_STATES or not _is_drawn_from_group(after):
            outside.append(_arrow(before, after, causes))
    yield "stateDiagram-v2"
    yield f'    state "connected, or about to connect" as {_GROUP} {{'
    yield from (f"    {line}" for line in inside)
    yield "    }"
    yield "    [*] --> Stopped"
    yield from outside
    for after in STREAM_STATES:
        if _is_drawn_from_group(after):
            yield _arrow(_GROUP, after, _causes_from_group(after))


def _is_drawn_from_group(after: StreamState) -> bool:
    """Return True if a state outside the frame can be reached from each state in it."""
    return after not in ACTIVE_STATES and all((before, after) in TRANSITION_CAUSES for before in ACTIVE_STATES)


def _causes_from_group(after: StreamState) -> tuple[str, ...]:
    causes = (cause for before in ACTIVE_STATES for cause in TRANSITION_CAUSES[before, after])
    return tuple(dict.fromkeys(causes))


def _arrow(before: str, after: str, causes: tuple[str, ...]) -> str:
    return f"    {before} --> {after}: {', '.join(causes)}"


def _transition_row(each: StreamTransition) -> str:
    return f"| {each.cause} | {', '.join(each.before)} | `{each.after}` | {each.meaning} |"
