"""The transport, with a program in the place of kubectl: what it is started with, and what its answers mean."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sluice_cli.transport import (
    Kubectl,
    NoAccessError,
    NotFoundError,
    NotServedError,
    RefusedError,
    Result,
    TransportError,
    output_of,
)
from support.deadlines import scaled
from support.fake_kubectl import FakeKubectl, job, pause


def program(folder: Path, body: str) -> str:
    """Write a program with this Python code, and return its path."""
    path = folder / "kubectl"
    path.write_text(f"#!{sys.executable}\nimport sys, json\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_each_call_has_the_options_of_the_cluster_and_its_input(tmp_path: Path) -> None:
    kubectl = Kubectl(["--context=a"], program(tmp_path, "print(json.dumps([sys.argv[1:], sys.stdin.read()]))"))
    assert json.loads(kubectl.run("get", "x")) == [["--context=a", "get", "x"], ""]
    assert json.loads(kubectl.run("create", text='{"ä": 1}')) == [["--context=a", "create"], '{"ä": 1}']


def test_a_long_text_is_written_while_the_output_is_read(tmp_path: Path) -> None:
    echo = Kubectl(program=program(tmp_path, "for line in sys.stdin:\n    print(line, end='', flush=True)"))
    text = "x" * 99 + "\n"
    assert echo.start("create", text=text * 20_000).result() == Result(0, text * 20_000, "")


def test_a_setting_of_the_user_for_go_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = Kubectl(program=program(tmp_path, "import os\nprint(os.environ['GOGC'])"))
    monkeypatch.delenv("GOGC", raising=False)
    assert kubectl.run("get") == "off\n"
    monkeypatch.setenv("GOGC", "50")
    assert kubectl.run("get") == "50\n"


def test_a_program_that_does_not_exist_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="Install it, and put it on PATH") as caught:
        Kubectl(program=str(tmp_path / "none")).run("get")
    assert caught.value.exit_code == 3


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    slow = Kubectl(program=program(tmp_path, "import time\ntime.sleep(600)"))
    assert slow.start("get").result_within(0.05).status != 0
    quick = Kubectl(program=program(tmp_path, "print(1)"))
    assert quick.start("get").result_within(scaled(10)) == Result(0, "1\n", "")


def test_the_headers_of_an_answer_are_in_the_log_lines_of_kubectl(tmp_path: Path) -> None:
    body = "sys.stderr.write('I1127 14:00:00.000000 1 x.go:1]     Date: now\\n')\nprint(sys.argv[1:])"
    request = Kubectl(program=program(tmp_path, body)).start_verbose("/version")
    assert request.raw_errors().endswith("Date: now\n")


@pytest.mark.parametrize(
    ("errors", "kind", "message"),
    [
        ("Error from server (Forbidden): User a cannot list", NoAccessError, "User a cannot list"),
        ("Error from server (Forbidden): one\nError from server (Forbidden): two", NoAccessError, "one"),
        ("Error from server (Forbidden): ValidatingAdmissionPolicy 'p' denied request: no", RefusedError, None),
        ("Error from server (Forbidden): x is forbidden: exceeded quota: q", RefusedError, None),
        ("Error from server (NotFound): y not found", NotFoundError, "y not found"),
        ("Error from server (Conflict): z", RefusedError, "z"),
        ("Error from server: etcdserver: request timed out", TransportError, "etcdserver: request timed out"),
        ('The IngestPause "x" is invalid: \n* spec.reason: Required', RefusedError, None),
        ("error: You must be logged in to the server (Unauthorized)", NoAccessError, None),
        ("Unable to connect to the server: EOF", TransportError, "kubectl: Unable to connect to the server: EOF"),
        ('error: context "x" does not exist', TransportError, 'kubectl: context "x" does not exist'),
        ("", TransportError, "kubectl: it failed without a message"),
    ],
)  # fmt: skip
def test_an_error_of_kubectl_has_its_exit_code(errors: str, kind: type[TransportError], message: str | None) -> None:
    with pytest.raises(TransportError) as caught:
        output_of(Result(1, "", errors))
    assert type(caught.value) is kind
    assert str(caught.value) == (
        message or errors.removeprefix("Error from server (Forbidden): ").removeprefix("error: ")
    )
    assert caught.value.exit_code == (1 if issubclass(kind, RefusedError) else 3)


def test_log_lines_of_libraries_are_left_out(tmp_path: Path) -> None:
    noise = "E1130 08:45:29.2 1046 memcache.go:265] Unhandled"
    kubectl = Kubectl(program=program(tmp_path, f"sys.exit('{noise}\\nerror: no cluster')"))
    with pytest.raises(TransportError, match=r"^kubectl: no cluster$"):
        kubectl.run("get")


def test_a_kind_that_may_not_be_listed_is_named_beside_the_others() -> None:
    kubectl = FakeKubectl(job(), pause(), denied=("list ingestpauses",))
    found = kubectl.start_list(("IngestJob", "IngestPause"), ["-A"]).listing()
    assert [len(each) for each in found.objects.values()] == [1, 0]
    assert found.unseen == {"IngestPause": "you may not list them"}


def test_the_first_kind_must_be_listed() -> None:
    kubectl = FakeKubectl(job(), denied=("list ingestjobs",))
    with pytest.raises(NoAccessError):
        kubectl.start_list(("IngestJob", "IngestPause"), ["-A"]).listing()


def test_kinds_of_a_newer_version_are_empty_on_an_older_cluster() -> None:
    kubectl = FakeKubectl(job(), unserved=("IngestPause", "ClusterIngestPause"))
    found = kubectl.start_list(("IngestJob", "IngestPause"), ["-A"]).listing()
    assert len(found.objects["IngestJob"]) == 1
    assert found.unseen == {"IngestPause": "this cluster does not serve the kind"}


def test_a_cluster_without_sluice_says_so() -> None:
    kubectl = FakeKubectl(unserved=("IngestJob", "IngestPause"))
    with pytest.raises(NotServedError, match="Sluice is not installed in this cluster"):
        kubectl.start_list(("IngestJob",), ["-A"]).listing()


def test_an_object_is_created_with_the_field_manager_that_no_tool_overrides() -> None:
    kubectl = FakeKubectl()
    kubectl.create("IngestPause", "acme", {"kind": "IngestPause", "metadata": {"generateName": "x-"}, "spec": {}})
    assert "?fieldManager=sluice&fieldValidation=Strict" in kubectl.commands[0][2]
    kubectl.delete("IngestPause", "acme", "x-x7k2p")
    assert kubectl.objects == []
    with pytest.raises(NotFoundError):
        kubectl.delete("IngestPause", "acme", "x-x7k2p")


def test_a_kind_without_a_crd_is_not_served() -> None:
    with pytest.raises(NotServedError, match="does not serve the kind IngestPause"):
        FakeKubectl(unserved=("IngestPause",)).create("IngestPause", "acme", {"metadata": {}})


def test_a_context_without_a_namespace_has_the_default_one() -> None:
    kubectl = FakeKubectl()
    assert kubectl.current_namespace() == "acme"
    kubectl.namespace = ""
    assert kubectl.current_namespace() == "default"
