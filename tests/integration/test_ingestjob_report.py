"""The pod's client of its own IngestJob: its writes, against a fake API server with one object."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from sluice_runtime.adapters.ingestjob import IngestJobClient
from sluice_runtime.domain.desired import with_pause
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.pause import PauseInForce
from sluice_runtime.ports import ReportError
from support.api_server import FakeApiServer, document
from support.job_client import TOKEN, client, connected, credentials, server
from support.runtime_fakes import JOB_UID, desired, runtime_state

__all__ = ["client", "credentials", "server"]


async def test_a_report_is_a_server_side_apply_of_only_the_stream(
    server: FakeApiServer, client: IngestJobClient
) -> None:
    await client.report_status(stream_status(runtime_state().snapshot()))
    [(query, content_type, body)] = server.patches
    assert query == {"fieldManager": "sluice-runtime", "force": "true"}
    assert content_type == "application/apply-patch+yaml"
    assert (body["apiVersion"], body["kind"]) == ("sluice.dev/v1alpha1", "IngestJob")
    assert body["metadata"] == {"namespace": "acme", "name": "us"}
    assert list(body["status"]) == ["stream"]
    assert "null" not in json.dumps(body)


async def test_a_report_that_cannot_be_applied_is_sent_as_a_merge_patch(
    server: FakeApiServer, client: IngestJobClient
) -> None:
    server.untypable = True
    server.object = document(1) | {"status": {"stream": {"state": "Live", "failure": {"type": "auth"}}}}
    await client.report_status(stream_status(runtime_state().snapshot()))
    [_, (query, content_type, body)] = server.patches
    assert (query, content_type) == ({"fieldManager": "sluice-runtime"}, "application/merge-patch+json")
    assert body["metadata"] == {"uid": JOB_UID}
    assert (body["status"]["stream"]["failure"], body["status"]["stream"]["state"]) == (None, "Stopped")
    assert body["status"]["stream"]["ingestEnabledSource"] == ""  # a CRD of an earlier version requires it


async def test_fields_of_other_writers_in_the_stream_are_removed(
    server: FakeApiServer, client: IngestJobClient
) -> None:
    stream = msgspec.to_builtins(stream_status(runtime_state().snapshot()))
    server.object = document(1) | {"status": {"stream": stream | {"pause": {"source": "api"}, "newer": 1}}}
    await client.report_status(stream_status(runtime_state().snapshot()))
    [_, (_, content_type, body)] = server.patches
    assert content_type == "application/merge-patch+json"
    assert body["status"] == {"stream": {"pause": None, "newer": None}}


async def test_texts_in_a_report_are_cut_to_their_bounds(server: FakeApiServer, client: IngestJobClient) -> None:
    runtime = runtime_state(with_pause(desired(), PauseInForce(source="api", reason="r" * 5000)))
    await client.report_status(stream_status(runtime.snapshot()))
    [(_, _, body)] = server.patches
    assert len(body["status"]["stream"]["pause"]["reason"]) == 1024


async def test_the_error_of_a_rejected_report_has_the_server_s_message(
    server: FakeApiServer, client: IngestJobClient
) -> None:
    status = {"kind": "Status", "message": "ingestjobs is forbidden", "code": 403}
    server.answer = lambda: web.json_response(status, status=403)
    with pytest.raises(ReportError) as refusal:
        await client.report_status(stream_status(runtime_state().snapshot()))
    assert str(refusal.value) == "the API server refused the status (HTTP 403): ingestjobs is forbidden"
    server.answer = lambda: web.Response(status=502, text="<html>bad gateway")
    with pytest.raises(ReportError, match=r"\(HTTP 502\): <html>bad gateway$"):
        await client.report_status(stream_status(runtime_state().snapshot()))


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
async def test_a_report_that_cannot_be_sent_raises_an_error(
    credentials: Path, tmp_path: Path, unused_tcp_port: int, missing: str
) -> None:
    for present in {"token", "ca.crt"} - {missing}:
        (tmp_path / present).write_bytes((credentials / present).read_bytes())
    for folder, words in ((credentials, "Connection refused"), (tmp_path, "No such file")):
        client = connected(f"http://127.0.0.1:{unused_tcp_port}", folder)
        with pytest.raises(ReportError, match=f"^the API server did not accept the status: .*{words}") as failure:
            await client.report_status(stream_status(runtime_state().snapshot()))
        assert TOKEN not in str(failure.value)
        await client.close()


async def test_a_rotated_token_is_read_again(server: FakeApiServer, credentials: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes((credentials / "ca.crt").read_bytes())
    client = connected(server.url, tmp_path)
    for token in ("first", "second"):
        (tmp_path / "token").write_text(token)
        await client.report_status(stream_status(runtime_state().snapshot()))
    assert server.tokens == {"Bearer first", "Bearer second"}
    await client.close()
