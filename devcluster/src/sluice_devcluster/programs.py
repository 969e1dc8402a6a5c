"""Programs such as docker and kind, run to their end, with progress reports while they take long."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice_devcluster.errors import DevclusterError
from sluice_manifests.toolchain import ReportProgress

PROGRESS_SECONDS = 15.0
_ERROR_LINES = 12


@dataclass(frozen=True)
class ProgramRunner:
    """Runs programs, and appends their output to a log."""

    log: Path
    report: ReportProgress

    def run(
        self,
        *argv: str,
        doing: str | None = None,
        text: str | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> str:
        """Run a program with `text` on its standard input, and variables added to those of this process.

        Returns its standard output. Every 15 s, reports that it is still `doing` something, such as "building an
        image". Raises DevclusterError with the end of its output if its exit status is not 0, or if it cannot be
        started.
        """
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=folder,
                env={**os.environ, **(environment or {})},
            )
        except OSError as error:
            raise DevclusterError(f"Cannot start {argv[0]}: {error.strerror}.") from error
        output, errors = self._communicate(process, doing or f"running {argv[0]}", text)
        self._append_to_log(argv, output + errors)
        if process.returncode != 0:
            tail = "\n".join(f"  {line}" for line in (output + errors).splitlines()[-_ERROR_LINES:])
            raise DevclusterError(f"{' '.join(argv)} failed:\n{tail}\nFull log: {self.log}")
        return output

    def _communicate(self, process: subprocess.Popen[str], doing: str, text: str | None) -> tuple[str, str]:
        started = time.monotonic()
        try:
            while True:
                try:
                    return process.communicate(text, timeout=PROGRESS_SECONDS)
                except subprocess.TimeoutExpired:
                    text = None  # has been sent
                    self.report(f"still {doing}: {time.monotonic() - started:.0f} s")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _append_to_log(self, argv: Sequence[str], output: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            log.write(f"--- {' '.join(argv)}\n{output}")
