"""The keys that the server accepts, the limits of their plans, and the number of connections that each key has open."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sluice_relay.protocol.messages import ProtocolError
from sluice_relay.protocol.subscription import Subscription

TOKEN_KEYS = frozenset({"oauth", "access_token"})


@dataclass(frozen=True)
class Plan:
    """The limits of an account: feeds (None: all), symbols (None: any number) and connections to each feed.

    `symbols` limits the sum of the symbols subscribed for trades and for quotes.
    """

    feeds: frozenset[str] | None = None
    symbols: int | None = None
    connections: int = 1

    def check_symbol_limit(self, wanted: Subscription) -> None:
        """Raise ProtocolError 405 if the subscription has more symbols than the plan allows."""
        if self.symbols is not None and (wanted.has_counted_wildcard or wanted.counted_symbols > self.symbols):
            raise ProtocolError(405)


BASIC = Plan(feeds=frozenset({"iex", "delayed_sip", "test", "crypto"}), symbols=30)


@dataclass(frozen=True)
class Account:
    """A key pair that the server accepts, and its plan.

    A client can also authenticate with the key `oauth` or `access_token`; its secret then identifies the account.
    """

    key: str = "key"
    secret: str = "secret"
    plan: Plan = field(default_factory=Plan)


class Accounts:
    """The accounts by key, with the number of open connections of each account to each feed."""

    def __init__(self, accounts: Iterable[Account], hold: float, clock: Callable[[], float] = time.monotonic):
        """`hold`: seconds for which a connection lost without a close frame still counts against the plan."""
        self._accounts = {account.key: account for account in accounts}
        self._hold = hold
        self._clock = clock
        self._open: dict[tuple[str, str], int] = {}
        self._held: dict[tuple[str, str], list[float]] = {}

    def add(self, account: Account) -> None:
        """Accept an account from now on; it replaces an account with the same key."""
        self._accounts[account.key] = account

    def revoke(self, key: str) -> None:
        """Reject a key from now on; connections that are already authenticated stay open."""
        self._accounts.pop(key, None)

    def open_connection(self, key: str, secret: str, feed: str) -> Account:
        """Authenticate a client, count its connection to the feed, and return its account.

        Raises ProtocolError 402 (wrong credentials), 409 (feed not in the plan) or 406 (too many connections).
        """
        account = self.authenticate(key, secret)
        if account.plan.feeds is not None and feed not in account.plan.feeds:
            raise ProtocolError(409)
        slot = (account.key, feed)
        if self._open.get(slot, 0) + self._count_lingering(slot) >= account.plan.connections:
            raise ProtocolError(406)
        self._open[slot] = self._open.get(slot, 0) + 1
        return account

    def close_connection(self, account: Account, feed: str, *, clean: bool) -> None:
        """Count one open connection less; a lost connection (not `clean`) still counts for the `hold` time."""
        slot = (account.key, feed)
        self._open[slot] -= 1
        if not clean and self._hold:
            self._held.setdefault(slot, []).append(self._clock() + self._hold)

    def authenticate(self, key: str, secret: str) -> Account:
        """Return the account with this key and secret; raise ProtocolError 402 if there is none."""
        if key in TOKEN_KEYS:
            account = next((each for each in self._accounts.values() if each.secret == secret), None)
        else:
            account = self._accounts.get(key)
        if account is None or account.secret != secret:
            raise ProtocolError(402)
        return account

    def _count_lingering(self, slot: tuple[str, str]) -> int:
        current = self._clock()
        self._held[slot] = [until for until in self._held.get(slot, []) if until > current]
        return len(self._held[slot])
