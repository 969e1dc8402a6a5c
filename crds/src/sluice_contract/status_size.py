"""The size of the status: the API server sends the whole object to each watcher at each change of the status."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .bounds import cut_to_bounds, cut_to_bytes
from .status import StreamStatus

# As JSON. The operator's conditions repeat texts of the pod, and have these bytes without them.
STATUS_BYTES: Final = 10_000
STREAM_BYTES: Final = 7_750
_CONDITIONS_BYTES: Final = 1_500
_REPETITIONS: Final = 3  # of one text: in Ready, Streaming or CredentialsValid, and Stalled or Reconciling

# Each step is tried if the one before is not enough: bytes of a text, bytes of a text in a list, items of a list.
_STEPS: Final = ((1024, 256, 20), (512, 128, 20), (256, 64, 20), (128, 24, 20), (80, 24, 20), (128, 24, 8))


def fit_stream_status(status: StreamStatus) -> StreamStatus:
    """Return the status within the bounds of the schema, with texts cut further if it is too large.

    Then the whole status has at most 10,000 bytes. Texts in lists, such as the messages of rejections, are cut first;
    names of symbols are never cut. The log of the pod has the full texts.
    """
    fitted = cut_to_bounds(status)
    for text_bytes, item_bytes, items in _STEPS:
        if _is_small_enough(fitted):
            break
        fitted = _cut_texts(fitted, text_bytes, item_bytes, items)
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
        f"{pause.source}{pause.reason}" if pause is not None else "",
    )
    return _REPETITIONS * max(len(text.encode(errors="replace")) for text in texts) + len(sink.encode(errors="replace"))


def _cut_texts(value: Any, text_bytes: int, item_bytes: int, items: int) -> Any:
    if isinstance(value, str):
        return cut_to_bytes(value, text_bytes)
    if isinstance(value, list):
        return [_cut_texts(each, item_bytes, item_bytes, items) for each in value[:items]]
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        cut = {name: _cut_texts(getattr(value, name), text_bytes, item_bytes, items) for name in names}
        return msgspec.structs.replace(value, **cut)
    return value
