"""Commits of one quote document at a steady pace, by itself: `python -m bench.bare_commit TENANT COMMITS_PER_SECOND`.

It prints a JSON line for each commit: its Unix seconds at the return, and how many seconds it took.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime

from sluice_contract.documents import live_quote_path
from sluice_contract.spec import FirestoreSettings
from sluice_runtime.sinks.firestore.connection import open_firestore_connection
from sluice_runtime.sinks.firestore.writes import Writes
from support.feed_documents import quote_fields

SYMBOL = "BARE"


async def commit_forever(tenant: str, per_second: float) -> None:
    """Commit until killed. A commit begins when it is due and the one before has returned."""
    connection = await open_firestore_connection(FirestoreSettings(), os.environ["GOOGLE_CLOUD_PROJECT"], None)
    name = connection.resource_name(live_quote_path(tenant, "live_quotes", SYMBOL))
    due = time.monotonic()
    while True:
        due = max(due + 1 / per_second, time.monotonic())
        await asyncio.sleep(due - time.monotonic())
        writes = Writes(connection.database)
        writes.replace_document(name, quote_fields(SYMBOL, datetime.now(UTC)))
        began = time.perf_counter()
        await connection.commit(writes)
        seconds = time.perf_counter() - began
        print(json.dumps({"at": time.time(), "seconds": seconds}), flush=True)


if __name__ == "__main__":
    asyncio.run(commit_forever(sys.argv[1], float(sys.argv[2])))
