"""The limits of a job on its writes to Firestore, and on the quotes that support a price."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from .base import CamelStruct

# The least budget is about as large as the free quota of Firestore.
SMALLEST_DAILY_BUDGET: Final = 20_000
LARGEST_DAILY_BUDGET: Final = 100_000_000


class WriteLimits(CamelStruct, frozen=True):
    """Limits on writes to Firestore. Faster quotes are coalesced: only the newest quote of each symbol is written."""

    min_interval_milliseconds: Annotated[
        int, Meta(ge=0, le=3_600_000, description="The minimum time between two writes of one symbol. Default: 1000.")
    ] = 1000
    writes_per_second: Annotated[
        int,
        Meta(
            ge=1, le=500, description="The sustained number of quote writes per second, over all symbols. Default: 20."
        ),
    ] = 20
    burst: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="The number of quote writes that can be sent at once after a quiet period. Default: 40.",
        ),
    ] = 40
    flush_interval_milliseconds: Annotated[
        int, Meta(ge=20, le=10_000, description="The interval at which due quotes are written. Default: 200.")
    ] = 200
    max_spread_percent: Annotated[
        int,
        Meta(
            ge=1,
            le=200,
            description="The widest spread of bid and ask, in percent of their midpoint, whose midpoint is used as "
            "price. Default: 20.",
        ),
    ] = 20
    writes_per_day: (
        Annotated[
            int,
            Meta(
                ge=SMALLEST_DAILY_BUDGET,
                le=LARGEST_DAILY_BUDGET,
                description="The budget of all document writes of a day: quotes, bars, records and heartbeats. "
                "Deletions do not count. The day is that of Firestore's quotas, from midnight to midnight in Los "
                "Angeles. Writes slow down as the budget shrinks; when it is used up, the job pauses until the next "
                "day. It is a budget, not a quota of Firestore: only the free tier has one. Absent: no budget.",
            ),
        ]
        | None
    ) = None
