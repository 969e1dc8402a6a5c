"""The size of the status: the API server sends the whole object to each watcher at each change of the status."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .bounds import cut_to_bounds, cut_to_bytes
from .job_policy import JobPolicy
from .pause_sentences import pause_clause, sources_of_pause
from .pause_status import PauseSource
from .status import IngestJobStatus, StreamStatus

# As JSON. The operator's conditions repeat texts of the pod, and have these bytes without them.
STATUS_BYTES: Final = 10_000
STREAM_BYTES: Final = 7_750
_CONDITIONS_BYTES: Final = 1_500
_REPETITIONS: Final = 3  # of one text: in Ready, Streaming or CredentialsValid, and Stalled or Reconciling

# Each step is tried if the one before is not enough: bytes of a text, bytes of a text in a list, items of a list, how
# many changes of the history and sources of a pause stay whole, and how many of those sources stay at least by name.
_STEPS: Final = (
    (1024, 256, 20, 10, 16),
    (512, 128, 20, 8, 16),
    (256, 64, 20, 6, 16),
    (128, 24, 20, 4, 16),
    (80, 24, 20, 2, 8),
    (64, 24, 20, 0, 0),
    (48, 21, 20, 0, 0),
    (128, 24, 8, 2, 2),
)

# Each step is tried if the one before is not enough: bytes of the message of a condition and of a denial, and how many
# names of policies stay.
_OPERATOR_STEPS: Final = ((2048, 8), (1024, 8), (512, 8), (256, 8), (128, 8), (64, 4), (32, 2))


def fit_operator_status(status: IngestJobStatus, stream: StreamStatus | None) -> IngestJobStatus:
    """Return the operator's part of the status within the bounds of the schema, with messages cut if it is too large.

    The whole status, with the pod's part `stream`, then has at most 10,000 bytes if the pod keeps to its own limit.
    A message can contain a text of another program, such as the refusal of a webhook, which has any length.
    """
    fitted = cut_to_bounds(status)
    left = STATUS_BYTES - len(msgspec.json.encode(IngestJobStatus(stream=stream)))
    for message_bytes, names in _OPERATOR_STEPS:
        if len(msgspec.json.encode(fitted)) <= left:
            break
        conditions = [
            msgspec.structs.replace(each, message=cut_to_bytes(each.message, message_bytes))
            for each in fitted.conditions
        ]
        policy = None if fitted.policy is None else _cut_policy(fitted.policy, message_bytes, names)
        fitted = msgspec.structs.replace(fitted, conditions=conditions, policy=policy)
    return fitted


def _cut_policy(policy: JobPolicy, message_bytes: int, names: int) -> JobPolicy:
    """Return the result of the policies with its texts cut. Its bounds stay, because the pod obeys them."""
    denied = None if policy.denied is None else cut_to_bytes(policy.denied, message_bytes)
    return msgspec.structs.replace(policy, names=policy.names[:names], denied=denied)


def fit_stream_status(status: StreamStatus) -> StreamStatus:
    """Return the status within the bounds of the schema, with texts cut further if it is too large.

    Then the whole status has at most 10,000 bytes. Texts in lists, such as the messages of rejections, are cut first;
    names of symbols are never cut. The log of the pod has the full texts.
    """
    fitted = cut_to_bounds(status)
    for text_bytes, item_bytes, items, event_items, named_sources in _STEPS:
        if _is_small_enough(fitted):
            break
        fitted = _cut_texts(_with_fewer_events(fitted, event_items, named_sources), text_bytes, item_bytes, items)
    return fitted


def _is_small_enough(status: StreamStatus) -> bool:
    size = len(msgspec.json.encode(status))
    return size <= STREAM_BYTES and size + _bytes_repeated_in_conditions(status) <= STATUS_BYTES - _CONDITIONS_BYTES


def _bytes_repeated_in_conditions(status: StreamStatus) -> int:
    """Return the most bytes of this status that the operator repeats: one text several times, and that of the sink."""
    pause, sink = status.pause, status.sink.message or ""
    texts = (
        sink,
        status.spec_problem or "",
        status.credentials_problem or "",
        status.failure.message if status.failure is not None else "",
        pause_clause(sources_of_pause(pause)) if pause is not None else "",
    )
    return _REPETITIONS * max(len(text.encode(errors="replace")) for text in texts) + len(sink.encode(errors="replace"))


def _with_fewer_events(status: StreamStatus, items: int, named: int) -> StreamStatus:
    """Return the status with the first `items` changes of its history, and the first `named` sources of its pause.

    Only the first `items` sources keep their reasons. A name says that the pod has acknowledged that pause.
    """
    pause = status.pause
    if pause is not None:
        others = [msgspec.structs.replace(each, reason=None, by=None) for each in pause.sources[items:named]]
        pause = msgspec.structs.replace(pause, sources=[*pause.sources[:items], *others])
    return msgspec.structs.replace(status, pause=pause, history=status.history[:items])


def _cut_texts(value: Any, text_bytes: int, item_bytes: int, items: int) -> Any:
    if isinstance(value, str):
        return cut_to_bytes(value, text_bytes)
    if isinstance(value, list):
        return [_cut_texts(each, item_bytes, item_bytes, items) for each in value[:items]]
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        cut = {name: _cut_texts(getattr(value, name), text_bytes, item_bytes, items) for name in names}
        if isinstance(value, PauseSource):
            cut["source"] = value.source
        return msgspec.structs.replace(value, **cut)
    return value
