import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sluice_runtime import factories
from sluice_runtime.domain.heartbeat_document import heartbeat_document
from sluice_runtime.standalone import StandaloneRuntime
from sluice_runtime.standalone_settings import standalone_settings
from support.runtime_fakes import desired, stored_job


def runtime(state: Path, **spec: Any) -> StandaloneRuntime:
    job = stored_job(**spec)
    settings = standalone_settings(job, {"SLUICE_STATE_DIR": str(state)}, 7, uuid.uuid4())
    return StandaloneRuntime(settings, lambda: job, {})


async def test_a_smoke_test_sees_the_documents_that_were_written_and_their_paths(tmp_path: Path) -> None:
    made = runtime(tmp_path, firestore={"liveQuotesCollection": "latest"}, heartbeat={"document": "beat"})
    made.write_log.record_commit("quotes", ["AAPL", "MSFT"])
    made.write_log.record_commit("records", ["AAPL"])
    made.write_log.record_heartbeat(heartbeat_document(made.state.snapshot()))
    made.write_log.record_dry_run("quotes", ["AAPL"])
    seen = made.smoke_observation()
    assert (seen.heartbeats, seen.quotes) == (1, 2)
    assert (seen.heartbeat_document, seen.quotes_collection) == ("tenants/acme/ops/beat", "tenants/acme/latest")
    made.state.updater.apply_desired(desired(dryRun=True))
    assert made.smoke_observation().quotes == 1


async def test_a_smoke_test_sees_when_the_market_of_the_feed_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factories, "utc_now", lambda: datetime(2026, 11, 29, 12, tzinfo=UTC))
    made = runtime(tmp_path, sessions=["regular"])
    made.state.updater.apply_desired(desired(sessions=["regular"]))
    assert made.smoke_observation().next_quotes_at == datetime(2026, 11, 30, 14, 30, tzinfo=UTC)
