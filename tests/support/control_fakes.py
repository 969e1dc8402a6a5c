"""Doubles of what the pod's own switches are worked and kept by."""

from __future__ import annotations

from sluice_runtime.domain.pause import Switch
from sluice_runtime.ports import RequestRefusedError, StartRequest


class FakeKeeper:
    """Notes in memory."""

    def __init__(self) -> None:
        self.failure: OSError | None = None
        self._kept: dict[str, Switch] = {}

    def read(self) -> tuple[Switch, ...]:
        """As SwitchStore."""
        if self.failure is not None:
            raise self.failure
        return tuple(self._kept.values())

    def write(self, switch: Switch) -> None:
        """As SwitchStore."""
        self._kept.pop(switch.source, None)
        if switch.pauses:
            self._kept[switch.source] = switch


class FakeDeclaration:
    """Remembers what was asked of it; `refusal` is what it answers."""

    def __init__(self) -> None:
        self.history: list[str] = []
        self.refusal: RequestRefusedError | None = None

    def override(self, start_request: StartRequest) -> None:
        """As Declaration."""
        if self.refusal is not None:
            raise self.refusal
        if start_request != StartRequest():
            self.history.append(f"wish {' '.join(start_request.symbols or ())}")

    def reload(self) -> None:
        """As Declaration."""
        if self.refusal is not None:
            raise self.refusal
        self.history.append("reload")
