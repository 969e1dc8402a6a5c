"""What the loops that follow the stream share."""

from __future__ import annotations

from dataclasses import dataclass

from ..aio.latest_value import LatestValue
from ..domain.desired import Desired
from ..state.instruments import Instruments
from ..state.stream_state import StreamListener


@dataclass(frozen=True)
class StreamParts:
    """What is wanted of the stream, what has happened to it, and the clock, counters and transitions."""

    desired: LatestValue[Desired]
    stream: StreamListener
    instruments: Instruments
