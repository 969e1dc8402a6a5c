"""The pod's client of its own IngestJob, against an API server of one object."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sluice_runtime.adapters import ingestjob
from sluice_runtime.adapters.api_session import Api
from sluice_runtime.adapters.ingestjob import IngestJobClient
from sluice_runtime.domain.backoff import Backoff
from sluice_runtime.domain.declared_job import DeclaredJob
from sluice_runtime.domain.desired import halted
from sluice_runtime.domain.health import stream_status
from sluice_runtime.domain.pause import Pause
from sluice_runtime.loops.racing import cancel
from sluice_runtime.ports import ReportError
from support.api_server import FakeApiServer, document
from support.eventually import eventually
from support.runtime_fakes import JOB_UID, aim, journal

TOKEN = "bound-token"


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer().serving() as fake:
        yield fake


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mounted ServiceAccount token, with the certificate of a CA that nobody else has."""
    folder = tmp_path_factory.mktemp("serviceaccount")
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "token").write_text(f"{TOKEN}\n")
    return folder


@pytest.fixture
async def client(server: FakeApiServer, credentials: Path) -> AsyncIterator[IngestJobClient]:
    made = connected(server.url, credentials)
    yield made
    await made.close()


def connected(url: str, credentials: Path) -> IngestJobClient:
    backoff = Backoff(0.02, 0.05, lambda _, high: high)
    return IngestJobClient(Api(url=url, credentials=credentials), "acme", "us", JOB_UID, backoff)


class Watcher:
    """Collects what a watch tells, as generations; None for gone."""

    def __init__(self, client: IngestJobClient) -> None:
        self.seen: list[int | None] = []
        self.last: DeclaredJob | None = None
        self.task = asyncio.create_task(self._watch(client))

    async def _watch(self, client: IngestJobClient) -> None:
        async for found in client.watch():
            self.last = found
            self.seen.append(found.metadata.generation if found else None)

    async def until(self, *generations: int | None) -> None:
        await eventually(lambda: self.seen == list(generations))


@pytest.fixture
async def watcher(client: IngestJobClient) -> AsyncIterator[Watcher]:
    made = Watcher(client)
    yield made
    await cancel(made.task)


async def test_the_job_is_told_as_it_is_and_then_each_change_of_its_spec(
    server: FakeApiServer, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(2, symbols=["SPY"]))
    await watcher.until(1, 2)
    assert watcher.last is not None
    assert watcher.last.spec.symbols == ["SPY"]
    [watch] = server.watches
    assert watch["fieldSelector"] == "metadata.name=us"
    assert watch["resourceVersion"] == "101"
    assert watch["allowWatchBookmarks"] == "true"
    assert server.tokens == {f"Bearer {TOKEN}"}


async def test_a_change_of_the_status_alone_is_not_told(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    for _ in range(3):
        server.change("MODIFIED", document(1))
    server.events.put_nowait({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "900"}}})
    server.change("MODIFIED", document(2))
    await watcher.until(1, 2)


async def test_a_cut_stream_is_opened_again_and_what_changed_meanwhile_is_told(
    server: FakeApiServer, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.events.put_nowait(None)
    await eventually(lambda: len(server.watches) == 2)
    assert watcher.seen == [1]
    server.object = document(2)
    server.events.put_nowait(None)
    await watcher.until(1, 2)


async def test_a_line_that_is_cut_or_torn_is_no_harm(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.events.put_nowait(b'{"type": "MODI')
    server.events.put_nowait(None)
    await eventually(lambda: len(server.watches) == 2)
    line = json.dumps({"type": "MODIFIED", "object": document(2)}).encode() + b"\n"
    server.events.put_nowait(line[:50])
    server.events.put_nowait(line[50:])
    await watcher.until(1, 2)
    server.events.put_nowait(b"not json\n")
    await eventually(lambda: len(server.watches) == 3)


async def test_a_version_that_is_too_old_is_read_anew(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.object = document(5)
    server.events.put_nowait({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}})
    await watcher.until(1, 5)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that compares a silent watch with a live read after 0.1 s."""
    monkeypatch.setattr(ingestjob, "LIVE_READ_SECONDS", 0.1)
    monkeypatch.setattr(ingestjob, "_EVENT_SECONDS", 0.1)


@pytest.mark.usefixtures("hurried")
async def test_a_silent_watch_of_a_job_that_has_not_changed_stays_open(server: FakeApiServer, watcher: Watcher) -> None:
    await eventually(lambda: server.gets >= 4)
    assert (watcher.seen, len(server.watches)) == ([1], 1)


@pytest.mark.usefixtures("hurried")
async def test_a_change_that_the_watch_does_not_deliver_is_found_by_a_live_read(
    server: FakeApiServer, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    await watcher.until(1)
    server.object = document(2, enabled=False)
    await watcher.until(1, 2)
    assert "the watch has not delivered it" in caplog.text


async def test_a_newer_spec_in_the_response_to_a_report_counts_at_once(
    server: FakeApiServer, client: IngestJobClient, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.object = document(2, enabled=False)
    await client.report(stream_status(journal().snapshot()))
    await watcher.until(1, 2)
    assert watcher.last is not None
    assert not watcher.last.stops.enabled


async def test_an_older_spec_in_a_late_response_counts_for_nothing(
    server: FakeApiServer, client: IngestJobClient, watcher: Watcher
) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(3, enabled=False))
    await watcher.until(1, 3)
    server.object = document(2)
    await client.report(stream_status(journal().snapshot()))
    await asyncio.sleep(0.05)
    assert watcher.seen == [1, 3]


async def test_a_deletion_that_a_finalizer_holds_is_told(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    held = document(1)
    held["metadata"] |= {"deletionTimestamp": "2026-03-02T15:00:00Z", "resourceVersion": "102"}
    server.change("MODIFIED", held)
    await watcher.until(1, 1)
    assert watcher.last is not None
    assert watcher.last.metadata.deletion_timestamp is not None


async def test_watches_that_end_at_once_are_not_stormed(server: FakeApiServer, client: IngestJobClient) -> None:
    server.watching = False
    watcher = Watcher(client)
    await asyncio.sleep(1.0)
    assert 2 <= server.gets <= 6
    await cancel(watcher.task)


async def test_an_api_server_that_is_away_is_waited_for(
    server: FakeApiServer, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    await watcher.until(1)
    server.answer = lambda: web.Response(status=503)
    server.events.put_nowait(None)
    await eventually(lambda: "the watch of the IngestJob failed" in caplog.text)
    assert TOKEN not in caplog.text
    server.object = document(2)
    server.answer = None
    await watcher.until(1, 2)


async def test_of_a_spec_that_is_not_understood_the_stops_are_told(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(2, symbols=["not a symbol"], enabled=False))
    await watcher.until(1, 2)
    assert watcher.last is not None
    assert (watcher.last.spec, watcher.last.stops.enabled) == (None, False)
    assert watcher.last.problem.startswith("spec.symbols[0] is not understood: ")
    server.change("MODIFIED", document(3))
    await watcher.until(1, 2, 3)


@pytest.mark.parametrize(
    "status", ["text", {"phase": 7}, {"stream": []}, {"stream": {"heartbeat": {"at": []}, "state": "Dreaming"}}]
)
async def test_whatever_is_in_the_status_the_spec_is_read(
    server: FakeApiServer, watcher: Watcher, status: object
) -> None:
    await watcher.until(1)
    server.change("MODIFIED", document(2, enabled=False) | {"status": status})
    await watcher.until(1, 2)
    assert watcher.last is not None
    assert not watcher.last.stops.enabled


async def test_a_deleted_job_is_gone_and_that_is_the_end(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.change("DELETED", document(1))
    await watcher.until(1, None)
    await asyncio.wait_for(watcher.task, 1)


async def test_a_job_deleted_while_nobody_watched_is_gone(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.object = None
    server.events.put_nowait(None)
    await watcher.until(1, None)


async def test_a_younger_job_of_the_same_name_is_not_ours(server: FakeApiServer, watcher: Watcher) -> None:
    await watcher.until(1)
    server.change("ADDED", document(1, uid="another"))
    await watcher.until(1, None)


async def test_a_younger_job_that_was_there_first_is_not_ours(server: FakeApiServer, client: IngestJobClient) -> None:
    server.object = document(1, uid="another")
    watcher = Watcher(client)
    await watcher.until(None)


async def test_a_report_is_a_server_side_apply_of_the_stream_alone(
    server: FakeApiServer, client: IngestJobClient
) -> None:
    await client.report(stream_status(journal().snapshot()))
    [(query, content_type, body)] = server.patches
    assert query == {"fieldManager": "sluice-runtime", "force": "true"}
    assert content_type == "application/apply-patch+yaml"
    assert (body["apiVersion"], body["kind"]) == ("sluice.dev/v1alpha1", "IngestJob")
    assert body["metadata"] == {"namespace": "acme", "name": "us"}
    assert list(body["status"]) == ["stream"]
    assert "null" not in json.dumps(body)


async def test_a_report_that_cannot_be_applied_is_merged(server: FakeApiServer, client: IngestJobClient) -> None:
    server.untypable = True
    server.object = document(1) | {"status": {"stream": {"state": "Live", "failure": {"type": "auth"}}}}
    await client.report(stream_status(journal().snapshot()))
    [_, (query, content_type, body)] = server.patches
    assert (query, content_type) == ({"fieldManager": "sluice-runtime"}, "application/merge-patch+json")
    assert body["metadata"] == {"uid": JOB_UID}
    assert (body["status"]["stream"]["failure"], body["status"]["stream"]["state"]) == (None, "Stopped")


async def test_what_another_writer_left_in_the_stream_is_removed(
    server: FakeApiServer, client: IngestJobClient
) -> None:
    stream = msgspec.to_builtins(stream_status(journal().snapshot()))
    server.object = document(1) | {"status": {"stream": stream | {"pause": {"source": "api"}, "newer": 1}}}
    await client.report(stream_status(journal().snapshot()))
    [_, (_, content_type, body)] = server.patches
    assert content_type == "application/merge-patch+json"
    assert body["status"] == {"stream": {"pause": None, "newer": None}}


async def test_texts_in_a_report_are_cut_to_their_bounds(server: FakeApiServer, client: IngestJobClient) -> None:
    book = journal(halted(aim(), Pause(source="s" * 5000, reason="r" * 5000)))
    await client.report(stream_status(book.snapshot()))
    [(_, _, body)] = server.patches
    pause = body["status"]["stream"]["pause"]
    assert (len(pause["source"]), len(pause["reason"])) == (1024, 1024)


async def test_a_refused_report_is_told_in_the_server_s_words(server: FakeApiServer, client: IngestJobClient) -> None:
    status = {"kind": "Status", "message": "ingestjobs is forbidden", "code": 403}
    server.answer = lambda: web.json_response(status, status=403)
    with pytest.raises(ReportError) as refusal:
        await client.report(stream_status(journal().snapshot()))
    assert str(refusal.value) == "the API server refuses the status (HTTP 403): ingestjobs is forbidden"
    server.answer = lambda: web.Response(status=502, text="<html>bad gateway")
    with pytest.raises(ReportError, match=r"\(HTTP 502\): <html>bad gateway$"):
        await client.report(stream_status(journal().snapshot()))


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
async def test_a_report_that_cannot_be_sent_is_told(
    credentials: Path, tmp_path: Path, unused_tcp_port: int, missing: str
) -> None:
    for present in {"token", "ca.crt"} - {missing}:
        (tmp_path / present).write_bytes((credentials / present).read_bytes())
    for folder, words in ((credentials, "Connect call failed"), (tmp_path, "No such file")):
        client = connected(f"http://127.0.0.1:{unused_tcp_port}", folder)
        with pytest.raises(ReportError, match=f"^the API server did not take the status: .*{words}") as failure:
            await client.report(stream_status(journal().snapshot()))
        assert TOKEN not in str(failure.value)
        await client.close()


async def test_a_rotated_token_is_read_anew(server: FakeApiServer, credentials: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes((credentials / "ca.crt").read_bytes())
    client = connected(server.url, tmp_path)
    for token in ("first", "second"):
        (tmp_path / "token").write_text(token)
        await client.report(stream_status(journal().snapshot()))
    assert server.tokens == {"Bearer first", "Bearer second"}
    await client.close()
