import argparse
import asyncio
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from sluice_contract.spec import IngestJobSpec
from sluice_runtime import cli
from sluice_runtime.adapters.pause_file import PauseFile
from sluice_runtime.domain.preflight import Finding
from sluice_runtime.providers.alpaca.credentials import Credentials
from sluice_runtime.settings import Settings, SettingsError
from support.answering_runtime import AnsweringRuntime

REAL_TIME = True
JOB = "metadata: {name: us}\nspec: {tenant: acme, provider: synthetic, symbols: [SPY]"
KEYS = {"TENANT_ID": "acme", "ALPACA_KEY_ID": "key", "ALPACA_SECRET_KEY": "secret"}


class World:
    """A directory with the runtime's state, and the output of the commands."""

    def __init__(self, directory: Path) -> None:
        self.environment = {"SLUICE_STATE_DIR": str(directory)}
        self.file = PauseFile(directory)
        self.document = directory / "job.yaml"
        self.document.write_text(JOB + "}")
        self.said: list[str] = []

    def pauses(self, command: str, *symbols: str, reason: str = "") -> int:
        given = argparse.Namespace(command=command, symbols=list(symbols), reason=reason)
        return cli.run_pause_command(given, self.environment, self.said.append)

    def look(self, environment: Mapping[str, str], *, as_json: bool = False) -> int:
        job = cli.job_reader(None, environment)()
        settings = cli.settings_for_job(job, environment, None)
        return cli.run_preflight(settings, environment, self.said.append, as_json=as_json)


class Account(ModuleType):
    """Replaces the module that asks Alpaca, whose SDK is slow to import. Remembers whose account was checked."""

    def __init__(self) -> None:
        super().__init__("sluice_runtime.providers.alpaca.preflight")
        self.looked_at: list[str] = []
        self.good = True

    def check_account_and_symbols(self, _: IngestJobSpec, credentials: Credentials, *__: object) -> list[Finding]:
        self.looked_at.append(credentials.key_id)
        return [Finding("account", self.good, "ACTIVE")]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    made = Account()
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def sentence(document: Path) -> str:
    with pytest.raises(SettingsError) as error:
        cli.job_reader(document, {})()
    return str(error.value)


def test_a_document_is_read_each_time(world: World) -> None:
    read = cli.job_reader(world.document, KEYS)
    assert (read().spec.tenant, read().spec.enabled) == ("acme", True)
    world.document.write_text(JOB + ", enabled: false}")
    assert read().spec.enabled is False


def test_a_document_without_a_namespace_is_in_the_default_namespace(world: World) -> None:
    read = cli.job_reader(world.document, {})
    assert read().metadata.namespace == "default"
    assert cli.settings_for_job(read(), {}, world.document).job.namespace == "default"


def test_without_a_document_the_environment_declares_the_job(world: World) -> None:
    assert cli.job_reader(None, KEYS)().spec.provider == "alpaca"
    with pytest.raises(SettingsError, match="TENANT_ID is not set"):
        cli.job_reader(None, {})


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("{", "is not a valid YAML document"),
        ("- a list", "it has a document that is not a mapping"),
        ("", "it has no IngestJob: it is empty"),
        (JOB + ", pause: {until: 2026-02-30}}", ": spec.pause.until is '2026-02-30': must be an RFC 3339 time"),
        (JOB + ", pause: {until: 2026-03-02 15:00:00}}", ": spec.pause.until is '2026-03-02 15:00:00': must be"),
        (JOB + ", enabeld: false}", ": unknown field spec.enabeld; did you mean enabled?"),
        (JOB + ", alpaca: {}}", ": spec.alpaca is"),
    ],
)
def test_an_invalid_job_is_reported_with_the_name_of_its_file(world: World, content: str, part: str) -> None:
    world.document.write_text(content)
    found = sentence(world.document)
    assert found.startswith(str(world.document))
    assert part in found


def test_a_document_that_is_not_a_file_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(JOB + "}",))
    writer.start()
    read = cli.job_reader(pipe, {})
    writer.join()
    assert read() is read()
    assert read().spec.tenant == "acme"


def test_a_pipe_in_the_place_of_a_document_does_not_block(world: World) -> None:
    read = cli.job_reader(world.document, {})
    world.document.unlink()
    os.mkfifo(world.document)
    with pytest.raises(SettingsError, match="is no longer a file"):
        read()


def test_dry_run_in_the_environment_applies_to_every_document(world: World) -> None:
    assert not cli.job_reader(world.document, {"DRY_RUN": "0"})().spec.dry_run
    assert cli.job_reader(world.document, {"DRY_RUN": "1"})().spec.dry_run


def test_a_document_s_environment_is_used_where_the_process_s_has_no_value(world: World) -> None:
    world.document.write_text(JOB + ", pod: {env: [{name: INGEST_ENABLED, value: 'off'}]}}")
    assert settings_with(world.document).enabled is False
    assert settings_with(world.document, INGEST_ENABLED="on").enabled is True


def test_an_unreadable_document_is_reported(tmp_path: Path) -> None:
    assert sentence(tmp_path / "absent.yaml").endswith("absent.yaml cannot be read: No such file or directory")
    assert sentence(tmp_path).endswith("cannot be read: Is a directory")


def settings_with(document: Path | None, **environment: str) -> Settings:
    return cli.settings_for_job(cli.job_reader(document, KEYS)(), environment, document)


def test_a_tape_lies_beside_its_document(world: World) -> None:
    assert settings_with(world.document).files_dir == world.document.parent
    assert settings_with(None).files_dir == Path()


def test_a_later_start_has_a_later_epoch(world: World) -> None:
    first, second = settings_with(world.document), settings_with(world.document)
    assert 1_700_000_000_000 < first.job.epoch <= second.job.epoch
    with pytest.raises(SettingsError, match="LOG_LEVEL"):
        settings_with(world.document, LOG_LEVEL="loud")


def test_pauses_are_listed_with_time_and_reason(world: World) -> None:
    assert world.pauses("paused") == 0
    assert world.said == [f"no symbol is paused in {world.file.path}"]
    world.said.clear()
    assert world.pauses("pause", "msft", "aapl", reason="bad prints") == 0
    assert world.pauses("pause") == 0
    assert [line.partition(": ")[2] for line in world.said] == [
        "MSFT, AAPL; a runtime that reads it follows within 1 s",
        "the whole job; a runtime that reads it follows within 1 s",
    ]
    world.said.clear()
    assert world.pauses("paused") == 0
    assert [line.partition(" is paused since ")[0] for line in world.said] == ["the whole job", "AAPL", "MSFT"]
    assert [line.partition(" UTC")[2] for line in world.said] == ["", ": bad prints", ": bad prints"]


def test_a_long_reason_is_cut_before_it_is_stored(world: World) -> None:
    assert world.pauses("pause", reason="r" * 300 + "\udcff") == 0
    assert "r" * 255 + '…"' in world.file.path.read_text()


def test_a_query_for_symbols_lists_these_and_returns_whether_all_are_paused(world: World) -> None:
    world.pauses("pause", "AAPL", "MSFT")
    world.said.clear()
    assert world.pauses("paused", "aapl") == 0
    assert world.pauses("paused", "AAPL", "SPY") == 1
    assert [line.partition(" is paused since ")[0] for line in world.said] == ["AAPL", "AAPL", "not paused: SPY"]
    world.pauses("pause")
    world.said.clear()
    assert world.pauses("paused", "SPY") == 0
    assert world.said[0].startswith("the whole job is paused since ")


def test_pauses_of_many_at_once_are_all_kept(world: World) -> None:
    names = [f"S{chr(65 + n)}" for n in range(20)]
    threads = [threading.Thread(target=world.pauses, args=("pause", name)) for name in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert world.file.read().symbols.keys() == set(names)


def test_a_pause_ends_where_it_was_made(world: World) -> None:
    world.pauses("pause", "AAPL")
    world.pauses("pause")
    world.pauses("resume", "aapl")
    assert world.file.read().symbols == {}
    assert world.file.read().job is not None
    world.pauses("resume")
    assert world.file.read().job is None


@pytest.mark.parametrize("command", ["pause", "resume", "paused"])
def test_an_invalid_symbol_is_reported_and_nothing_is_written(world: World, command: str) -> None:
    with pytest.raises(SettingsError, match="A-B: symbols are written like"):
        world.pauses(command, "AAPL", "A-B")
    assert not world.file.path.exists()


@pytest.mark.parametrize("command", ["pause", "resume", "paused"])
def test_a_damaged_state_is_reported_and_left_unchanged(world: World, command: str) -> None:
    world.file.path.write_text("{")
    with pytest.raises(
        SettingsError,
        match=r"pauses\.json cannot be used \(it is not valid JSON: the end is missing\); repair or remove it",
    ):
        world.pauses(command, "AAPL")
    assert world.file.path.read_text() == "{"


def test_a_state_that_cannot_be_written_is_reported(world: World) -> None:
    world.environment["SLUICE_STATE_DIR"] = str(world.document)
    with pytest.raises(SettingsError, match=r"cannot be used \(File exists\); check SLUICE_STATE_DIR"):
        world.pauses("pause")


async def test_a_successful_smoke_test_uses_the_environment_s_token(world: World, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sesame-sesame")
    async with AnsweringRuntime().answering(tmp_path / "token") as url:
        passed = await asyncio.to_thread(
            cli.run_http_smoke_test, url, 5.0, {"SLUICE_HTTP_TOKEN": "sesame-sesame"}, world.said.append
        )
        assert (passed, world.said[-1]) == (
            0,
            "PASS: status, reload, dry start and stop; the runtime is now stopped, not dry",
        )
        assert await asyncio.to_thread(cli.run_http_smoke_test, url, 5.0, {}, world.said.append) == 1
    assert world.said[-1].startswith("FAIL: reload returned HTTP 403")


def test_a_job_without_an_account_has_nothing_to_check(world: World) -> None:
    assert world.look({"TENANT_ID": "acme", "DRY_RUN": "1"}) == 0
    assert world.said == ["ok  preflight: a job of provider alpaca has no account to check"]


def test_the_environment_s_key_pair_takes_precedence_over_a_secret_s(world: World, account: Account) -> None:
    assert world.look(KEYS) == 0
    assert account.looked_at == ["key"]
    assert world.said == ["ok  account: ACTIVE"]


def test_a_bad_finding_is_marked_and_makes_the_command_fail(world: World, account: Account) -> None:
    account.good = False
    assert world.look(KEYS) == 1
    assert world.said == ["NOT account: ACTIVE"]


def test_json_output_is_an_array_and_the_exit_code_is_0(world: World, account: Account) -> None:
    account.good = False
    assert world.look(KEYS, as_json=True) == 0
    assert [json.loads(line) for line in world.said] == [[{"question": "account", "good": False, "words": "ACTIVE"}]]


def test_without_a_key_pair_that_of_a_mounted_secret_is_used(world: World, account: Account) -> None:
    job = cli.job_reader(None, KEYS)()
    settings = msgspec.structs.replace(cli.settings_for_job(job, {}, None), pod_uid="0b0b")
    assert cli.run_preflight(settings, {}, world.said.append, as_json=False) == 1
    assert world.said[0].startswith("NOT credentials: the Secret environment is missing, or has neither")
    assert account.looked_at == []


def test_in_a_pod_the_settings_are_the_pod_s_own(world: World) -> None:
    spec = {"tenant": "acme", "provider": "synthetic", "symbols": ["AAPL"]}
    injected = {"namespace": "acme", "name": "us", "uid": "0b0b", "generation": 3, "epoch": 7, "projectID": "demo"}
    pod = {
        "SLUICE_JOB": json.dumps({**injected, "spec": spec}),
        "POD_UID": "b0d",
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
    }
    assert cli.settings_for_preflight(None, pod | KEYS).job.name == "us"
    assert cli.settings_for_preflight(None, KEYS | world.environment).job.name == "standalone"
    assert cli.settings_for_preflight(world.document, pod | world.environment).pod_uid == "standalone"
