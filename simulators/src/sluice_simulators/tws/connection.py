"""The connection of one API client to the simulated gateway."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sluice_simulators.tws import record as requests
from sluice_simulators.tws.record import GatewayConnectionRecord, GatewayRecord
from sluice_simulators.tws.wire import (
    GREETING,
    SERVER_VERSION,
    contract_details_message,
    encode_message,
    error_message,
    receive_message,
)

CLIENT_ID_IN_USE = (326, "Unable to connect as the client id is already in use. Retry with a unique client id.")
# The notices about data farms that a gateway sends to each client that connects.
GREETINGS = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefnj"),
)


@dataclass
class GatewayBehavior:
    """The behavior of the gateway from now on.

    `silent`: the request types that it never answers; 0 stands for the greeting. `unknown`, `ambiguous`, `refused` and
    `details_refused` have symbols as IBKR writes them; the last two map a symbol to an error code and its text.
    `data_types` maps a symbol to its market data type, such as 3 (delayed); it is 1 (live) for all others.
    """

    silent: set[int] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    ambiguous: set[str] = field(default_factory=set)
    details_refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    data_types: dict[str, int] = field(default_factory=dict)
    greetings: tuple[tuple[int, str], ...] = GREETINGS
    closes_at: int | None = None  # the request type on which the gateway closes the connection


class GatewayConnection:
    """One API client's connection, until the client or the gateway ends it."""

    def __init__(self, behavior: GatewayBehavior, record: GatewayRecord, writer: asyncio.StreamWriter) -> None:
        self.record: GatewayConnectionRecord = record.add_connection()
        self._gateway_record = record
        self._behavior = behavior
        self._writer = writer
        self._ids: set[int] = set()  # ids of subscriptions; each id can be used once
        self._answers: dict[int, Callable[[list[str]], None]] = {
            requests.CONTRACT_DETAILS: self._send_contract_details,
            requests.MARKET_DATA: self._subscribe_market_data,
            requests.CANCEL_MARKET_DATA: self._cancel_market_data,
            requests.CURRENT_TIME: lambda _: self.send(encode_message(49, 1, int(time.time()))),
            61: lambda _: self.send(encode_message(62, 1)),
        }

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Serve the client until the connection ends."""
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                assert await reader.readexactly(len(GREETING)) == GREETING
                await receive_message(reader)
                if 0 not in self._behavior.silent:
                    self.send(encode_message(SERVER_VERSION, "20261123 09:30:00 EST"))
                while not self._writer.is_closing():
                    self._handle_request(await receive_message(reader))
        finally:
            self._writer.close()
            self._gateway_record.mark_closed(self.record)

    def send(self, *frames: bytes) -> None:
        """Send messages, unless the connection is closing."""
        if not self._writer.is_closing():
            self._writer.write(b"".join(frames))

    def close(self, *, reset: bool = False) -> None:
        """End the connection with a FIN, or with `reset` abort it."""
        if reset:
            self._writer.transport.abort()
        self._writer.close()

    def _handle_request(self, fields: list[str]) -> None:
        self._gateway_record.add_request(self.record, fields)
        kind = int(fields[0])
        if kind == self._behavior.closes_at:
            self.close()
        elif kind not in self._behavior.silent:
            answer = self._start_api if kind == requests.START_API else self._answers.get(kind)
            if answer is not None:
                answer(fields)
        self._gateway_record.notify_waiters()

    def _start_api(self, fields: list[str]) -> None:
        client = int(fields[2])
        if any(each.client_id == client for each in self._gateway_record.open_connections):
            self._gateway_record.refused_ids.append(client)
            self.send(error_message(-1, *CLIENT_ID_IN_USE))
            self.close()
            return
        self.record.client_id = client
        self.send(encode_message(15, 1, "DU1"), encode_message(9, 1, 1))
        self.send(*(error_message(-1, code, words) for code, words in self._behavior.greetings))

    def _send_contract_details(self, fields: list[str]) -> None:
        request, symbol = int(fields[2]), fields[4]
        refused = self._behavior.details_refused.get(symbol)
        if symbol in self._behavior.unknown:
            refused = (200, "No security definition has been found for the request")
        if refused is not None:
            self.send(error_message(request, *refused))
            return
        contract = 1_000 + sum(ord(letter) * 31**place for place, letter in enumerate(symbol))
        self.send(contract_details_message(request, symbol, contract))
        if symbol in self._behavior.ambiguous:
            self.send(contract_details_message(request, symbol, contract + 1, "NYSE"))
        self.send(encode_message(52, 1, request))

    def _subscribe_market_data(self, fields: list[str]) -> None:
        request, symbol = int(fields[2]), fields[4]
        if request in self._ids:
            self.send(error_message(request, 322, "Error processing request.-'bO' : cause - Duplicate ticker id"))
        elif symbol in self._behavior.refused:
            self.send(error_message(request, *self._behavior.refused[symbol]))
        else:
            self._ids.add(request)
            self.record.subscribed[request] = symbol
            data_type = self._behavior.data_types.get(symbol, 1)
            self.send(encode_message(58, 1, request, data_type), encode_message(81, request, 0.01, "9c0001", 3))

    def _cancel_market_data(self, fields: list[str]) -> None:
        request = int(fields[2])
        if self.record.subscribed.pop(request, None) is None:
            self.send(error_message(request, 300, f"Can't find EId with tickerId:{request}"))
