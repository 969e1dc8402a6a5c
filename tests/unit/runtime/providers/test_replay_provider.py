from pathlib import Path

import pytest

from sluice_runtime.domain.failure import StreamError
from sluice_runtime.domain.market_hours import UNKNOWN_HOURS
from sluice_runtime.providers.replay import PROVIDER, ReplaySource
from sluice_runtime.settings import SettingsError
from support.fake_listener import FakeListener
from support.provider_settings import settings_of
from support.runtime_fakes import job_spec

TAPE = {"tape": {"configMapRef": {"name": "tapes", "key": "day.csv"}}, "speed": 2.0}


async def test_a_tape_is_in_the_directory_of_the_job_s_files_or_where_the_pod_mounts_it(tmp_path: Path) -> None:
    for settings, words in (
        (settings_of(provider="replay", replay=TAPE, files_dir=tmp_path), f"copy it to {tmp_path}, or correct"),
        (settings_of(provider="replay", replay=TAPE, in_pod=True), "create the ConfigMap that spec.replay.tape"),
    ):
        source = PROVIDER.create_clients(settings, {}).source
        assert isinstance(source, ReplaySource)
        assert source.speed == 2.0
        with pytest.raises(StreamError, match=r"the tape day\.csv does not exist; ") as error:
            async with source.connect(FakeListener()):
                pass
        assert words in error.value.message


def test_a_replay_without_a_tape_is_reported() -> None:
    with pytest.raises(SettingsError, match=r"spec\.replay is missing"):
        PROVIDER.create_clients(settings_of(provider="replay"), {})


def test_sessions_have_no_effect_on_a_replay() -> None:
    assert PROVIDER.market_hours is not None
    assert PROVIDER.market_hours(job_spec(sessions=["regular"])) == UNKNOWN_HOURS
