"""The file of the clients, such as a mounted Secret, which is read again when it changes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from .clients import Client, ClientsError, parse_clients

_log = logging.getLogger(__name__)
_POLL_SECONDS = 1.0


class ClientFile:
    """A file that declares clients."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text: bytes | None = None

    def read_clients(self) -> dict[str, Client]:
        """Return the clients.

        Raises:
            ClientsError: the file cannot be read, or does not declare clients.
        """
        try:
            raw = self._path.read_bytes()
            clients = parse_clients(raw.decode("utf-8-sig"))
        except OSError as error:
            raise ClientsError(f"{self._path} cannot be read: {error.strerror}; check --clients") from None
        except UnicodeDecodeError:
            raise ClientsError(f"{self._path} is not text; save it as UTF-8") from None
        except ClientsError as error:
            raise ClientsError(f"{self._path}: {error}") from None
        self._text = raw
        return clients

    async def wait_for_change(self) -> dict[str, Client]:
        """Wait until the file has other clients than were read last, and return them.

        A file that cannot be read is logged once, and the clients that were read last stay.
        """
        problem = ""
        while True:
            await asyncio.sleep(_POLL_SECONDS)  # a mounted Secret is replaced by a link, which sends no usable events
            try:
                if self._path.read_bytes() == self._text:
                    problem = ""
                    continue
                return self.read_clients()
            except (OSError, ClientsError) as error:
                if str(error) != problem:
                    problem = str(error)
                    _log.error("the clients stay as they were: %s", error, extra={"event_type": "relay"})
