"""Trading days from the calendar of Alpaca's trading API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

import msgspec

from sluice_contract.decoding_errors import explain_decoding_error

from ...adapters.decoding import decode_json
from ...adapters.error_text import redact_url
from ...domain.failure import StreamError
from ...domain.trading_calendar import EXTENDED_OPEN, CalendarError, TradingDay, extended_close
from .credentials import CredentialsReader
from .rest import RestUnreachableError, rest_session, trading_host

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
            raise CalendarError("there is no key pair for Alpaca yet")
        url = f"{self._trading_url or trading_host(credentials)}/v2/calendar"
        query = {"start": first.isoformat(), "end": last.isoformat()}
        try:
            async with rest_session(credentials, self._credentials_reader.tls_context(), _SECONDS) as session:
                answer = await session.get(url, query)
            if answer.status != 200:
                raise CalendarError(answer.refusal)
            return [_trading_day(each) for each in decode_json(answer.body, list[_Day])]
        except StreamError as error:  # the job's own certificates cannot be read
            raise CalendarError(error.message) from None
        except RestUnreachableError as error:
            raise CalendarError(str(error)) from None
        except msgspec.MsgspecError as error:
            raise CalendarError(
                f"the answer of {redact_url(url)} cannot be parsed: {explain_decoding_error(error)}"
            ) from None


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
