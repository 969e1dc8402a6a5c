import logging

import pytest

from sluice_operator.cluster_uid import read_cluster_uid_or_empty
from sluice_operator.ports import ClusterError, RequestRefused, Unavailable

from .fakes import FakeCluster


class FailingCluster(FakeCluster):
    """A cluster whose UID can be read after the given errors."""

    def __init__(self, *errors: ClusterError) -> None:
        super().__init__()
        self._errors = list(errors)

    async def read_cluster_uid(self) -> str:
        if self._errors:
            raise self._errors.pop(0)
        return await super().read_cluster_uid()


async def no_sleep(_: float) -> None:
    return


async def test_the_uid_is_read_again_while_the_api_server_is_away() -> None:
    assert await read_cluster_uid_or_empty(FailingCluster(Unavailable("a"), Unavailable("b")), no_sleep) == "cluster"


@pytest.mark.parametrize("errors", [(RequestRefused("forbidden"),), (Unavailable("away"),) * 3])
async def test_a_uid_that_cannot_be_read_is_logged_and_keeps_no_job_from_running(
    errors: tuple[ClusterError, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert await read_cluster_uid_or_empty(FailingCluster(*errors), no_sleep) == ""
    assert "ClusterRole sluice-operator-read" in caplog.text
