"""Trading days from the calendar of Alpaca's trading API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

import aiohttp
import msgspec

from ...domain.failure import StreamError
from ...domain.trading_calendar import EXTENDED_OPEN, CalendarError, TradingDay, extended_close
from ..decoding import decode_json
from ..error_text import redact_url, unreachable_reason
from .credentials import CredentialsReader
from .websocket import system_tls_context

LIVE_HOST = "https://api.alpaca.markets"
PAPER_HOST = "https://paper-api.alpaca.markets"
_PAPER_PREFIX = "PK"  # of the key ids of paper accounts, which the live interface refuses
_SECONDS = 10.0


class _Day(msgspec.Struct, gc=False):
    """An entry of `GET /v2/calendar`. Times are in New York: `open` as 09:30, `session_open` as 0400."""

    date: date
    open: str
    close: str
    session_open: str | None = None
    session_close: str | None = None


class AlpacaCalendar:
    """Fetches trading days over REST. No connection stays open, because there is one request a day.

    Without `trading_url`, requests go to Alpaca's paper interface if the key is for paper trading, otherwise to the
    live one.
    """

    def __init__(self, credentials_reader: CredentialsReader, trading_url: str | None) -> None:
        self._credentials_reader = credentials_reader
        self._trading_url = trading_url

    async def fetch_trading_days(self, first: date, last: date) -> Sequence[TradingDay]:
        """Return the trading days from `first` to `last`, as far as Alpaca knows them.

        Raises:
            CalendarError: the calendar is not available now, or it cannot be parsed.
        """
        credentials = self._credentials_reader.read_credentials_or_none()
        if credentials is None:
            raise CalendarError("there are no credentials for Alpaca; check the Secret")
        host = self._trading_url or (PAPER_HOST if credentials.key_id.startswith(_PAPER_PREFIX) else LIVE_HOST)
        url, name = f"{host}/v2/calendar", redact_url(f"{host}/v2/calendar")
        headers = {"APCA-API-KEY-ID": credentials.key_id, "APCA-API-SECRET-KEY": credentials.secret_key}
        query = {"start": first.isoformat(), "end": last.isoformat()}
        try:
            tls = self._credentials_reader.tls_context() or (system_tls_context() if url.startswith("https:") else True)
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session,
                session.get(url, params=query, headers=headers, ssl=tls) as answer,
            ):
                if answer.status != 200:
                    raise CalendarError(f"{name} answered HTTP {answer.status}")
                body = await answer.read()
            return [_trading_day(each) for each in decode_json(body, list[_Day])]
        except StreamError as error:  # the job's own certificates cannot be read
            raise CalendarError(error.message) from None
        except msgspec.MsgspecError as error:
            raise CalendarError(f"the answer of {name} cannot be parsed: {error}") from None
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: an invalid host name
            raise CalendarError(f"{name} cannot be reached: {unreachable_reason(error)}") from None


def _trading_day(entry: _Day) -> TradingDay:
    """Return the hours of a day. The extended session of an entry without it is as long as usual.

    Raises:
        CalendarError: a time of the entry is malformed.
    """
    try:
        closes = _local_time(entry.close)
        return TradingDay(
            day=entry.date,
            extended_opens=_local_time(entry.session_open) if entry.session_open else EXTENDED_OPEN,
            opens=_local_time(entry.open),
            closes=closes,
            extended_closes=_local_time(entry.session_close) if entry.session_close else extended_close(closes),
        )
    except ValueError:
        raise CalendarError(f"Alpaca's calendar has a malformed time for {entry.date}") from None


def _local_time(text: str) -> time:
    """Return the time that a text such as 09:30 or 0930 names."""
    return time(int(text[:2]), int(text[2:].removeprefix(":")))
