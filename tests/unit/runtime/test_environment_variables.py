"""The environment as `docker run --env-file` passes it."""

import re
from pathlib import Path

import pytest

from sluice_runtime.__main__ import main
from sluice_runtime.environment_variables import VARIABLES, clean_environment
from sluice_runtime.settings import SettingsError

ROOT = Path(__file__).resolve().parents[3]
POD_VARIABLES = {"SLUICE_JOB", "POD_UID", "POD_IP", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("mark", ['"', "'"])
def test_quotation_marks_around_each_variable_are_reported(name: str, mark: str) -> None:
    with pytest.raises(SettingsError) as error:
        clean_environment({name: f"{mark}top-secret{mark}"})
    assert str(error.value).startswith(f"{name} has quotation marks around its value")
    assert "top-secret" not in str(error.value)


def test_all_wrong_variables_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        clean_environment({"TENANT_ID": "'acme'", "ALPACA_KEY_ID": '"k"', "DRY_RUN": "1 # try"})
    assert [each.split()[0] for each in str(error.value).split("; ")[::2]] == ["TENANT_ID", "ALPACA_KEY_ID", "DRY_RUN"]


@pytest.mark.parametrize("name", VARIABLES)
def test_spaces_and_line_ends_around_each_variable_are_removed(name: str) -> None:
    environment = {name: "\ufeff value \r"}
    clean_environment(environment)
    assert environment == {name: "value"}


def test_variables_of_others_are_not_changed() -> None:
    environment = {"PS1": '"$ "', "LS_COLORS": " x "}
    clean_environment(environment)
    assert environment == {"PS1": '"$ "', "LS_COLORS": " x "}


def test_each_documented_variable_is_known() -> None:
    page = (ROOT / "docs/runtime.md").read_text()
    section = page[page.index("`TENANT_ID`, ") :]
    first_cells = re.findall(r"^\| ([*`A-Z_, ]+) \|", f"| {section}".replace("**", ""), flags=re.MULTILINE)
    documented = {name for cell in first_cells for name in re.findall(r"`([A-Z_]+)`", cell)}
    assert {"TENANT_ID", "LOG_LEVEL", "NO_PROXY"} <= documented
    assert documented - {*VARIABLES, *POD_VARIABLES} == set()


def test_a_quoted_variable_does_not_refuse_a_pause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_STATE_DIR", f"{tmp_path} \r")
    monkeypatch.setenv("ALPACA_KEY_ID", '"k"')
    assert main(["pause"]) == 0
    assert (tmp_path / "pauses.json").exists()
    assert main(["run"]) == 2
    assert capsys.readouterr().err.startswith("sluice-runtime: ALPACA_KEY_ID has quotation marks around its value")


def test_a_pause_in_a_quoted_folder_is_refused_because_no_runtime_would_read_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_STATE_DIR", f'"{tmp_path}"')
    assert main(["pause"]) == 2
    assert capsys.readouterr().err.startswith("sluice-runtime: SLUICE_STATE_DIR has quotation marks")


def test_a_standalone_preflight_names_the_missing_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "job.yaml"
    document.write_text(
        "metadata: {name: us}\n"
        "spec: {tenant: acme, provider: alpaca, symbols: [SPY], alpaca: {credentialsSecretRef: {name: keys}}}\n"
    )
    monkeypatch.setenv("SLUICE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("ALPACA_API_KEY", "top-secret")
    assert main(["preflight", "-f", str(document)]) == 2
    assert capsys.readouterr().err == (
        "sluice-runtime: ALPACA_SECRET_KEY is not set, although ALPACA_API_KEY is; set both to check the account\n"
    )
