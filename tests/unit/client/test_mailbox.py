"""Events of threads, on the loop."""

from __future__ import annotations

import asyncio
import threading

from sluice_client.mailbox import Mailbox
from sluice_client.sources import Event, HeartbeatRead, QuoteRead

REAL_TIME = True


async def test_events_of_threads_are_delivered_on_the_loop_and_the_newest_counts() -> None:
    delivered: list[Event] = []
    threads: set[int] = set()

    def deliver(event: Event) -> None:
        delivered.append(event)
        threads.add(threading.get_ident())

    mailbox = Mailbox(deliver)

    def put() -> None:
        for number in range(1000):
            mailbox.put(QuoteRead("A", number), QuoteRead("B", number), HeartbeatRead(number))

    writers = [threading.Thread(target=put) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()  # the loop cannot run meanwhile
    await asyncio.sleep(0.01)
    assert delivered == [QuoteRead("A", 999), QuoteRead("B", 999), HeartbeatRead(999)]
    assert threads == {threading.get_ident()}


async def test_nothing_is_delivered_after_it_is_closed() -> None:
    delivered: list[Event] = []
    mailbox = Mailbox(delivered.append)
    mailbox.put(HeartbeatRead(1))
    mailbox.close()
    mailbox.put(HeartbeatRead(2))
    await asyncio.sleep(0.01)
    assert delivered == []


def test_an_event_after_the_loop_has_ended_is_dropped() -> None:
    async def make() -> Mailbox:
        return Mailbox(lambda _: None)

    asyncio.run(make()).put(HeartbeatRead(1))
