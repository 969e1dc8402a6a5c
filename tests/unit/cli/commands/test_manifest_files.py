from __future__ import annotations

import io
from pathlib import Path

import pytest

from sluice_cli.commands.context import UsageError
from sluice_cli.commands.manifest_files import Manifest, read_manifest
from sluice_cli.transport import Request, Result
from support.fake_kubectl import FakeKubectl, FakeRequest

EMPTY = io.StringIO()


class Answering(FakeKubectl):
    """Answers each request with one result."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self._result = result

    def start(self, *arguments: str, text: str | None = None) -> Request:
        self.commands.append(arguments)
        return FakeRequest(self._result)


def read(result: Result, *files: str, text: str = "") -> Manifest:
    return read_manifest(Answering(result), files or ("job.yaml",), io.StringIO(text), is_recursive=False)


def test_files_are_read_by_kubectl_without_the_api_server(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("kind: A\nsymbols: [ON]\n---\nkind: B\n")
    kubectl = FakeKubectl()
    found = read_manifest(kubectl, [str(path)], EMPTY, is_recursive=True)
    assert ([each["kind"] for each in found.documents], found.text) == (["A", "B"], path.read_text())
    assert {"annotate", "--local", f"--filename={path}", "--recursive"} <= set(kubectl.commands[0])


def test_the_standard_input_is_read_beside_files(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("kind: A\n")
    found = read_manifest(FakeKubectl(), ["-", str(path)], io.StringIO("kind: B\n"), is_recursive=False)
    assert ([each["kind"] for each in found.documents], found.text) == (["B", "A"], "kind: B\n")
    broken = read_manifest(FakeKubectl(), ["-"], io.StringIO("a: ["), is_recursive=False)
    assert broken.unreadable == ("the standard input: it is not YAML: line 1: did not find",)


def test_a_missing_file_is_a_mistake_of_the_command_line() -> None:
    with pytest.raises(UsageError, match=r'the path "nope.yaml" does not exist: name a file'):
        read_manifest(FakeKubectl(), ["nope.yaml"], EMPTY, is_recursive=False)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            'error: unable to decode "a.yaml": json: cannot unmarshal bool into Go struct field '
            "ObjectMeta.metadata.name of type string",
            '"a.yaml": metadata.name is a boolean: YAML reads words such as ON, NO and Y, and numbers, not as text; '
            "write the value in quotation marks",
        ),
        (
            'error: unable to decode "a.yaml": json: cannot unmarshal string into Go struct field '
            "ObjectMeta.metadata of type map",
            '"a.yaml": metadata is string, not map',
        ),
        (
            'error: unable to decode "STDIN": Object \'Kind\' is missing in \'{"a":"b"}\'',
            '"STDIN": a document has no kind: add it',
        ),
    ],
)
def test_an_error_of_kubectl_is_in_our_words_and_other_documents_are_read(error: str, said: str) -> None:
    found = read(Result(1, '{"kind": "A"}\n{"kind": "B"}\n', error))
    assert ([each["kind"] for each in found.documents], found.unreadable) == (["A", "B"], (said,))
