"""The connection to the provider that is open now."""

from __future__ import annotations

from ..ports import Connection


class OpenConnection:
    """`current` is the open connection, which the supervisor sets; None while there is none, or before its login."""

    def __init__(self) -> None:
        self.current: Connection | None = None

    def set(self, connection: Connection | None) -> None:
        """Set the open connection; None when it is closed."""
        self.current = connection

    async def deliver_arrived_data(self) -> None:
        """Pass what has arrived on the open connection to its listener, even if the connection pauses its reading."""
        if self.current is not None:
            await self.current.deliver_arrived_data()
