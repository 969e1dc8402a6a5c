"""Reports that this node's clock differs from the provider's."""

from __future__ import annotations

import asyncio
import logging

from sluice_contract.remedies import clock_skew_sentence

from ..domain.clock_skew import ClockSkewAlarm
from ..domain.stream_activity import StreamActivity
from ..state.instruments import Instruments

_log = logging.getLogger(__name__)
_CLOCK = {"event_type": "clock"}

CHECK_SECONDS = 5.0


async def monitor_clock_forever(activity: StreamActivity, instruments: Instruments) -> None:
    """Check every 5 s whether this node's clock agrees with the provider's, until cancelled.

    A skew above 2 s is logged and reported in the status and the heartbeat at once, and so is its end.
    """
    alarm = ClockSkewAlarm()
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        skew = activity.clock_skew.skew_seconds(instruments.now(), asyncio.get_running_loop().time())
        if not alarm.update_and_check_change(skew):
            continue
        if alarm.is_active and skew is not None:
            _log.warning("%s", clock_skew_sentence(round(skew * 1000)), extra=_CLOCK)
        else:
            _log.info("the clock of this node agrees with the provider's again", extra=_CLOCK)
        instruments.transitions.signal()
