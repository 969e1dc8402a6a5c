"""What a user reads after a mistyped command. Also looked for: each message that argparse can produce."""

import pytest

from sluice_runtime.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "sluice-runtime: name a command; see sluice-runtime --help"),
        (["sing"], "sluice-runtime: sing is not a command; see sluice-runtime --help"),
        (["run", "--prot", "80"], "sluice-runtime: --prot 80 is not expected here; remove it; see "
         "sluice-runtime --help"),
        (["run", "extra"], "sluice-runtime: extra is not expected here; remove it; see sluice-runtime --help"),
        (["run", "-f"], "sluice-runtime: -f/--file needs a value; write it after -f/--file; see "
         "sluice-runtime run --help"),
        (["run", "--port", "0"], "sluice-runtime: --port: '0' is not a port; use a number from 1 to 65535; see "
         "sluice-runtime run --help"),
        (["smoke", "--seconds", "x"], "sluice-runtime: --seconds: 'x' is not a duration; use a number of seconds "
         "above 0; see sluice-runtime smoke --help"),
        (["preflight", "--json=yes"], "sluice-runtime: --json has no value; remove it; see "
         "sluice-runtime preflight --help"),
        (["pause", "--reason"], "sluice-runtime: --reason needs a value; write it after --reason; see "
         "sluice-runtime pause --help"),
    ],
)  # fmt: skip
def test_a_mistyped_command_is_explained(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert capsys.readouterr().err == f"{sentence}\n"
