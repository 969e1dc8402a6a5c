"""The server's control routes, through which a test in another process reads the record and injects faults.

GET  /_record    the record as JSON
POST /_faults    {"faults": [FAULT...], "times": 1, "endpoint": "iex"}; null: all; "clear": true drops earlier ones
POST /_inject    {"faults": [FAULT...], "endpoint": "iex", "connection": 1}; answers {"struck": N}, the connections
POST /_refuse    {"seconds": 2.0}: refuses TCP connections, also those to these routes
POST /_send      {"messages": [MESSAGE...], "per_frame": N}; "t" is Unix ns (absent: now); answers {"sent": N}
POST /_calendar  {"closed": ["2026-11-30"], "early_closes": []}: replaces the additional closures and half days
POST /_accounts  {"key": K, "secret": S, "feeds": [...], "symbols": 30, "connections": 1}, or {"revoke": K}

A FAULT is an object whose "fault" is a class name of handshake_faults, stream_faults or message_faults.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Protocol, TypeVar

import msgspec
from aiohttp import web

from sluice_relay.protocol.messages import Message, now, timestamp
from sluice_simulators.alpaca import handshake_faults, message_faults, stream_faults
from sluice_simulators.alpaca.accounts import Account, Accounts, Plan
from sluice_simulators.alpaca.faults import Fault, FaultScript, MessageFault, StreamFault
from sluice_simulators.alpaca.record import StreamRecord
from sluice_simulators.alpaca.rest import RestRoutes

Body = TypeVar("Body", bound=msgspec.Struct)
MODULES = (handshake_faults, stream_faults, message_faults)
FAULTS: dict[str, type[Fault]] = {
    name: kind
    for module in MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Fault) and kind not in (Fault, StreamFault, MessageFault)
}


class ControlledServer(Protocol):
    """The part of the server that the control routes use."""

    record: StreamRecord
    faults: FaultScript
    accounts: Accounts
    rest: RestRoutes

    async def inject(self, *faults: Fault, endpoint: str | None = None, connection: int | None = None) -> int:
        """Apply faults to open connections and return the number of these connections."""

    async def send(self, messages: list[Message], per_frame: int | None = None) -> int:
        """Send data messages and return the number of messages sent."""

    async def refuse_connections(self, seconds: float | None = None) -> None:
        """Refuse TCP connections."""


class ScriptFaultsBody(msgspec.Struct, frozen=True):
    """The body of POST /_faults."""

    faults: list[dict[str, Any]] = []
    times: int | None = 1
    endpoint: str | None = None
    clear: bool = False


class InjectFaultsBody(msgspec.Struct, frozen=True):
    """The body of POST /_inject."""

    faults: list[dict[str, Any]]
    endpoint: str | None = None
    connection: int | None = None


class RefuseConnectionsBody(msgspec.Struct, frozen=True):
    """The body of POST /_refuse."""

    seconds: float


class SendMessagesBody(msgspec.Struct, frozen=True):
    """The body of POST /_send."""

    messages: list[dict[str, Any]]
    per_frame: int | None = None


class ChangeCalendarBody(msgspec.Struct, frozen=True):
    """The body of POST /_calendar."""

    closed: set[date] = set()
    early_closes: set[date] = set()


class ChangeAccountBody(msgspec.Struct, frozen=True):
    """The body of POST /_accounts."""

    key: str = ""
    secret: str = ""
    feeds: frozenset[str] | None = None
    symbols: int | None = None
    connections: int = 1
    revoke: str | None = None


class ControlRoutes:
    """The control routes of one server."""

    def __init__(self, server: ControlledServer) -> None:
        """The routes control this server."""
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """Return all control routes; a route answers an invalid body with status 400 and the reason."""
        return [
            web.get("/_record", self._get_record),
            web.post("/_faults", _json_handler(ScriptFaultsBody, self._script_faults)),
            web.post("/_inject", _json_handler(InjectFaultsBody, self._inject_faults)),
            web.post("/_refuse", _json_handler(RefuseConnectionsBody, self._refuse_connections)),
            web.post("/_send", _json_handler(SendMessagesBody, self._send_messages)),
            web.post("/_calendar", _json_handler(ChangeCalendarBody, self._change_calendar)),
            web.post("/_accounts", _json_handler(ChangeAccountBody, self._change_account)),
        ]

    async def _get_record(self, _: web.Request) -> web.Response:
        return web.json_response(self._server.record.as_json())

    async def _script_faults(self, body: ScriptFaultsBody) -> dict[str, int]:
        faults = [parse_fault(each) for each in body.faults]
        if body.clear:
            self._server.faults.clear()
        if faults or not body.clear:
            self._server.faults.schedule(*faults, times=body.times, endpoint=body.endpoint)
        return {"scripted": len(faults)}

    async def _inject_faults(self, body: InjectFaultsBody) -> dict[str, int]:
        faults = [parse_fault(each) for each in body.faults]
        struck = await self._server.inject(*faults, endpoint=body.endpoint, connection=body.connection)
        return {"struck": struck}

    async def _refuse_connections(self, body: RefuseConnectionsBody) -> dict[str, int]:
        await self._server.refuse_connections(body.seconds)
        return {}

    async def _send_messages(self, body: SendMessagesBody) -> dict[str, int]:
        messages = [_parse_message(each) for each in body.messages]
        return {"sent": await self._server.send(messages, body.per_frame)}

    async def _change_calendar(self, body: ChangeCalendarBody) -> dict[str, int]:
        days = self._server.rest.trading_days
        days.closed, days.early_closes = set(body.closed), set(body.early_closes)
        return {}

    async def _change_account(self, body: ChangeAccountBody) -> dict[str, int]:
        if body.revoke is not None:
            self._server.accounts.revoke(body.revoke)
        else:
            plan = Plan(body.feeds, body.symbols, body.connections)
            self._server.accounts.add(Account(body.key, body.secret, plan))
        return {}


def parse_fault(value: dict[str, Any]) -> Fault:
    """Return the fault that a JSON object describes; raise ValueError if it describes none."""
    kind = FAULTS.get(str(value.get("fault")))
    if kind is None:
        raise ValueError(f"unknown fault {value.get('fault')!r}; the faults are {', '.join(sorted(FAULTS))}")
    return msgspec.convert(value, kind)


def _json_handler(
    kind: type[Body], act: Callable[[Body], Awaitable[dict[str, int]]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await act(msgspec.json.decode(await request.read(), type=kind)))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)

    return handle


def _parse_message(value: dict[str, Any]) -> Message:
    moment = value.get("t")
    rest = {key: each for key, each in value.items() if key not in ("T", "t")}
    stamped = timestamp(moment) if isinstance(moment, int) else moment or now()
    return {"T": value.get("T"), **rest, "t": stamped}
