"""The routes of Alpaca's REST API for past trades and bars. They serve what the server has sent.

Source: docs.alpaca.markets, "Historical trades" and "Historical bars", of stocks and of crypto.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web
from msgpack import Timestamp

from sluice_relay.protocol.messages import Message
from sluice_simulators.alpaca.accounts import Account
from sluice_simulators.alpaca.rest import RestRoutes

DEFAULT_LIMIT, MOST = 1_000, 10_000
KINDS = {"t": "trades", "b": "bars"}


class HistoryRoutes:
    """The routes, and the trades and bars that they serve, including those sent while no client was connected.

    `requests` has the path and the query of each request.
    """

    def __init__(self, rest: RestRoutes) -> None:
        """The routes accept the same keys as `rest`, and fail when its `failure_status` is set."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._rest = rest
        self._past: dict[str, dict[str, list[dict[str, Any]]]] = {kind: {} for kind in KINDS.values()}

    def routes(self) -> list[web.RouteDef]:
        """Return all routes; clients send their key in headers."""
        return [
            web.get(f"{prefix}/{kind}", self._rest.authenticated_handler(self._answer_with(kind)))
            for prefix in ("/v2/stocks", "/v1beta3/crypto/us")
            for kind in KINDS.values()
        ]

    def record(self, messages: Iterable[Message]) -> None:
        """Keep the trades and bars of these messages."""
        for message in messages:
            kind, moment = KINDS.get(str(message.get("T"))), message.get("t")
            if kind is not None and isinstance(moment, Timestamp):
                entry = {name: value for name, value in message.items() if name not in ("T", "S", "t")}
                entry["t"] = moment.to_datetime().isoformat().replace("+00:00", "Z")
                self._past[kind].setdefault(str(message["S"]), []).append(entry)

    def _answer_with(self, kind: str) -> Any:
        def answer(request: web.Request, account: Account) -> Any:
            self.requests.append((request.path, dict(request.query)))
            if not request.path.startswith("/v1beta3/crypto/"):
                self._rest.require_feed_in_plan(request, account)
            self._rest.refuse_if_failing()
            return self._page(kind, request)

        return answer

    def _page(self, kind: str, request: web.Request) -> dict[str, Any]:
        """Return one page: sorted by symbol and time, as Alpaca does, from the position that `page_token` names."""
        query = request.query
        start, end = _instant(query.get("start"), datetime(2000, 1, 1, tzinfo=UTC)), _instant(query.get("end"), None)
        limit, position = min(int(query.get("limit", DEFAULT_LIMIT)), MOST), int(query.get("page_token", "0") or 0)
        entries = [
            (symbol, entry)
            for symbol in sorted(set(query["symbols"].split(",")))
            for entry in sorted(self._past[kind].get(symbol, []), key=lambda each: str(each["t"]))
            if start <= datetime.fromisoformat(entry["t"]) <= end
        ]
        found: dict[str, list[dict[str, Any]]] = {}
        for symbol, entry in entries[position : position + limit]:
            found.setdefault(symbol, []).append(entry)
        following = position + limit
        return {kind: found, "next_page_token": str(following) if following < len(entries) else None}


def _instant(text: str | None, absent: datetime | None) -> datetime:
    """Return the time that a query names. A date means its first instant. `absent` is the default; None means now."""
    if not text:
        return absent or datetime.now(UTC) + timedelta(seconds=1)
    if len(text) == len("2026-01-01"):
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
