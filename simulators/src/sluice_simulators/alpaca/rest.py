"""The routes of Alpaca's REST APIs that a preflight calls, and the snapshot routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from sluice_relay.protocol.messages import KEY_HEADER, SECRET_HEADER, ProtocolError
from sluice_simulators.alpaca.accounts import Account, Accounts
from sluice_simulators.alpaca.trading_days import TradingDays

ID = "904837e3-3b76-47ec-b432-046db621571b"


def utc_now() -> datetime:
    """Return the time of this computer."""
    return datetime.now(UTC)


class _RefusalError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class RestRoutes:
    """The REST routes and what they answer.

    Assets are active, except those in `inactive` (inactive) and in `unknown` (not found). `clock_skew` is in seconds.
    `clock` is the time of the provider, also in the header Date. `snapshots` maps each symbol to its snapshot; if
    `failure_status` is set, snapshot requests get this HTTP status instead, and so do requests for past
    trades and bars. `requested_symbols` has the symbols of each snapshot request. `trading_days` is the calendar, and
    `requested_calendars` has the first and last day of each calendar request.
    """

    def __init__(self, accounts: Accounts) -> None:
        """The routes accept the same keys as the stream."""
        self.clock: Callable[[], datetime] = utc_now
        self.inactive: set[str] = set()
        self.unknown: set[str] = set()
        self.clock_skew = 0.0
        self.snapshots: dict[str, Any] = {}
        self.failure_status: int | None = None
        self.requested_symbols: list[set[str]] = []
        self.trading_days = TradingDays()
        self.requested_calendars: list[tuple[date, date]] = []
        self._accounts = accounts

    def routes(self) -> list[web.RouteDef]:
        """Return all REST routes; clients send their key in headers."""
        return [
            web.get("/v2/account", self.authenticated_handler(self._get_account)),
            web.get("/v2/clock", self.authenticated_handler(self._get_clock)),
            web.get("/v2/calendar", self.authenticated_handler(self._get_calendar)),
            web.get("/v2/assets/{symbol}", self.authenticated_handler(self._get_asset)),
            web.get("/v2/stocks/quotes/latest", self.authenticated_handler(self._get_latest_quotes)),
            web.get("/v2/stocks/snapshots", self.authenticated_handler(self._get_snapshots)),
            web.get("/v1beta3/crypto/us/latest/quotes", self.authenticated_handler(self._get_latest_crypto_quotes)),
            web.get("/v1beta3/crypto/us/snapshots", self.authenticated_handler(self._get_crypto_snapshots)),
        ]

    def refuse_if_failing(self) -> None:
        """Make the route answer with `failure_status` if it is set."""
        if self.failure_status is not None:
            raise _RefusalError(self.failure_status)

    def authenticated_handler(
        self, answer: Callable[[web.Request, Account], Any]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return a handler that calls `answer` with the account of the request's key, and answers with JSON."""

        async def handle(request: web.Request) -> web.Response:
            try:
                key, secret = request.headers.get(KEY_HEADER, ""), request.headers.get(SECRET_HEADER, "")
                return web.json_response(answer(request, self._accounts.authenticate(key, secret)))
            except _RefusalError as refusal:
                return web.json_response({"message": "refused"}, status=refusal.status)
            except ProtocolError:
                return web.json_response({"code": 40110000, "message": "request is not authorized"}, status=401)
            except PermissionError as error:
                return web.json_response({"code": 42210000, "message": str(error)}, status=403)
            except ValueError as error:
                return web.json_response({"code": 42210000, "message": str(error)}, status=422)
            except KeyError as error:
                return web.json_response({"code": 40410000, "message": f"asset not found for {error}"}, status=404)

        return handle

    def _get_account(self, _: web.Request, account: Account) -> Any:
        return {"id": ID, "account_number": account.key, "status": "ACTIVE", "account_blocked": False}

    def _get_clock(self, _request: web.Request, _: Account) -> Any:
        now = self.clock() + timedelta(seconds=self.clock_skew)
        later = (now + timedelta(hours=1)).isoformat()
        return {"timestamp": now.isoformat(), "is_open": True, "next_open": later, "next_close": later}

    def _get_calendar(self, request: web.Request, _: Account) -> Any:
        first = date.fromisoformat(request.query.get("start", "1970-01-01"))
        last = date.fromisoformat(request.query.get("end", "2029-12-31"))  # the end of Alpaca's own calendar
        self.requested_calendars.append((first, last))
        return list(self.trading_days.entries(first, last))

    def _get_asset(self, request: web.Request, _: Account) -> Any:
        symbol = request.match_info["symbol"]
        if symbol in self.unknown:
            raise KeyError(symbol)
        flags = dict.fromkeys(("tradable", "marginable", "shortable", "easy_to_borrow", "fractionable"), True)
        state = "inactive" if symbol in self.inactive else "active"
        return {"id": ID, "class": "us_equity", "exchange": "NASDAQ", "symbol": symbol, "status": state, **flags}

    def _get_snapshots(self, request: web.Request, account: Account) -> Any:
        self.require_feed_in_plan(request, account)
        symbols = set(request.query["symbols"].split(","))
        self.requested_symbols.append(symbols)
        self.refuse_if_failing()
        return {symbol: found for symbol, found in self.snapshots.items() if symbol in symbols}

    def _get_crypto_snapshots(self, request: web.Request, account: Account) -> Any:
        return {"snapshots": self._get_snapshots(request, account)}

    def require_feed_in_plan(self, request: web.Request, account: Account) -> None:
        """Refuse a request for a feed that the account's plan does not include."""
        feed = request.query.get("feed", "iex")
        if account.plan.feeds is not None and feed not in account.plan.feeds:
            raise PermissionError("subscription does not permit querying this feed")

    def _get_latest_quotes(self, request: web.Request, account: Account) -> Any:
        self.require_feed_in_plan(request, account)
        at = self.clock().isoformat()
        quote = {"t": at, "bx": "V", "bp": 1.0, "bs": 1, "ax": "V", "ap": 1.1, "as": 1, "c": ["R"], "z": "C"}
        return {"quotes": dict.fromkeys(request.query["symbols"].split(","), quote)}

    def _get_latest_crypto_quotes(self, request: web.Request, _: Account) -> Any:
        quote = {"t": self.clock().isoformat(), "bp": 1.0, "bs": 0.5, "ap": 1.1, "as": 0.25}
        return {"quotes": dict.fromkeys(request.query["symbols"].split(","), quote)}
