"""Fakes of the ports behind the pod's pause switches."""

from __future__ import annotations

from sluice_runtime.domain.pause import Switch
from sluice_runtime.ports import RequestRefusedError, StartRequest


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
    """A Declaration that remembers the requests; `refusal` is the error that it raises."""

    def __init__(self) -> None:
        self.history: list[str] = []
        self.refusal: RequestRefusedError | None = None

    def override_until_reload(self, start_request: StartRequest) -> None:
        if self.refusal is not None:
            raise self.refusal
        if start_request != StartRequest():
            self.history.append(f"wish {' '.join(start_request.symbols or ())}")

    def reload(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.history.append("reload")
