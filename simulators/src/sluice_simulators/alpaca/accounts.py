"""Keys, what their plans allow, and the connections each of them holds."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sluice_simulators.alpaca.messages import ProtocolError
from sluice_simulators.alpaca.subscription import Subscription

TOKEN_KEYS = frozenset({"oauth", "access_token"})


@dataclass(frozen=True)
class Plan:
    """What a subscription allows: feeds (None: all), symbols of trades plus quotes (None: any), connections a feed."""

    feeds: frozenset[str] | None = None
    symbols: int | None = None
    connections: int = 1

    def check_symbol_limit(self, wanted: Subscription) -> None:
        """Raises ProtocolError 405 when a subscription is more than the plan's."""
        if self.symbols is not None and (wanted.has_counted_wildcard or wanted.counted_symbols > self.symbols):
            raise ProtocolError(405)


BASIC = Plan(feeds=frozenset({"iex", "delayed_sip", "test", "crypto"}), symbols=30)


@dataclass(frozen=True)
class Account:
    """A key that the server accepts; a token in place of a key and secret is checked against the secret."""

    key: str = "key"
    secret: str = "secret"
    plan: Plan = field(default_factory=Plan)


class Accounts:
    """The accounts by key, and who of them is connected where."""

    def __init__(self, accounts: Iterable[Account], hold: float, clock: Callable[[], float] = time.monotonic):
        """`hold`: seconds for which a connection lost without a close still counts against the plan."""
        self._accounts = {account.key: account for account in accounts}
        self._hold = hold
        self._clock = clock
        self._open: dict[tuple[str, str], int] = {}
        self._held: dict[tuple[str, str], list[float]] = {}

    def add(self, account: Account) -> None:
        """Accepts an account from now on; one of the same key is replaced."""
        self._accounts[account.key] = account

    def revoke(self, key: str) -> None:
        """No longer accepts a key; a connection already authenticated stays."""
        self._accounts.pop(key, None)

    def open_connection(self, key: str, secret: str, feed: str) -> Account:
        """The account, with one more connection to the feed; raises ProtocolError 402, 409 or 406."""
        account = self.authenticate(key, secret)
        if account.plan.feeds is not None and feed not in account.plan.feeds:
            raise ProtocolError(409)
        slot = (account.key, feed)
        if self._open.get(slot, 0) + self._count_lingering(slot) >= account.plan.connections:
            raise ProtocolError(406)
        self._open[slot] = self._open.get(slot, 0) + 1
        return account

    def close_connection(self, account: Account, feed: str, *, clean: bool) -> None:
        """Ends a connection that `admit` counted."""
        slot = (account.key, feed)
        self._open[slot] -= 1
        if not clean and self._hold:
            self._held.setdefault(slot, []).append(self._clock() + self._hold)

    def authenticate(self, key: str, secret: str) -> Account:
        """The account of a key pair; raises ProtocolError 402."""
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
