"""Fakes of the ports behind the pod's pause switches."""

from __future__ import annotations

from sluice_runtime.domain.pause import Switch
from sluice_runtime.domain.reload_report import FileReading
from sluice_runtime.ports import RequestRefusedError, StartRequest
from sluice_runtime.switch_ports import SwitchListener


class FakeSwitchStore:
    """A SwitchStore that keeps the switches in memory."""

    def __init__(self) -> None:
        self.failure: OSError | None = None
        self._kept: dict[str, Switch] = {}

    def read(self) -> tuple[Switch, ...]:
        if self.failure is not None:
            raise self.failure
        return tuple(self._kept.values())

    def write(self, switch: Switch) -> None:
        self._kept.pop(switch.source, None)
        if switch.pauses:
            self._kept[switch.source] = switch


class FakeDeclaration:
    """A Declaration that remembers the requests.

    `refusal` is the error of a start request, `problem` that of the document.
    """

    def __init__(self) -> None:
        self.history: list[str] = []
        self.refusal: RequestRefusedError | None = None
        self.problem: str | None = None
        self.generation = 0

    def override_until_reload(self, start_request: StartRequest) -> None:
        if self.refusal is not None:
            raise self.refusal
        if start_request != StartRequest():
            self.history.append(f"wish {' '.join(start_request.symbols or ())}")

    def reload(self) -> tuple[FileReading, ...]:
        self.history.append("reload")
        return (FileReading(file="job.yaml", content="unchanged", problem=self.problem),)


class FakeSwitchFile:
    """A SwitchFile whose switch tests set."""

    def __init__(self, listener: SwitchListener) -> None:
        self.is_on = True
        self._listener = listener

    def reload(self) -> FileReading:
        self._listener.set_switch(Switch(source="file:/enabled", pauses=not self.is_on))
        return FileReading(file="/enabled", content="on" if self.is_on else "off")
