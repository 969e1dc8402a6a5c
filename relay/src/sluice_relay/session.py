"""The handshake and the subscriptions of one client, without I/O: a request comes in, the answers go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from .clients import Client, ClientDirectory
from .events import QUOTES, TRADES
from .faults import CONNECTION_LIMIT, SYMBOL_LIMIT
from .ports import ConnectionFaults, Source
from .protocol.messages import AUTHENTICATED, Message, ProtocolError, error_message, success_message
from .protocol.subscription import EVERYTHING, FOLLOW_TRADES, Changes, Subscription, channel_names, parse_changes

_COUNTED: Final = (QUOTES, TRADES)


class Answer(msgspec.Struct, frozen=True):
    """The messages that answer a request, and the symbols whose newest quotes follow them."""

    messages: tuple[Message, ...]
    snapshot_symbols: frozenset[str] = frozenset()
    refusal: int | None = None


class SymbolUsage:
    """The subscriptions of each key, over all of its connections."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, dict[Session, Subscription]] = {}

    def check_limit(self, session: Session, client: Client, after: Subscription) -> None:
        """Check that the key stays within its number of symbols if `session` subscribes to `after`.

        Raises:
            ProtocolError: 405, because it has more symbols, or a wildcard.
        """
        if client.symbols is None:
            return
        held = {**self._subscriptions.get(client.key, {}), session: after}
        symbols = [
            frozenset[str]().union(*(each.channels.get(name, frozenset()) for each in held.values()))
            for name in _COUNTED
        ]
        if any(EVERYTHING in each for each in symbols) or sum(map(len, symbols)) > client.symbols:
            raise ProtocolError(405)

    def set_subscription(self, session: Session, client: Client, subscription: Subscription) -> None:
        """Count the subscription of a session to the key."""
        self._subscriptions.setdefault(client.key, {})[session] = subscription

    def remove(self, session: Session, client: Client) -> None:
        """Forget a session that has ended."""
        held = self._subscriptions.get(client.key, {})
        held.pop(session, None)
        if not held:
            self._subscriptions.pop(client.key, None)


class SessionRules(msgspec.Struct, frozen=True):
    """What all sessions of a server share."""

    directory: ClientDirectory
    source: Source
    usage: SymbolUsage
    faults: ConnectionFaults


class Session:
    """The state of one client: who it is, and its subscription."""

    def __init__(self, rules: SessionRules, *, crypto: bool) -> None:
        """`crypto`: the client has connected to the feed of currency pairs."""
        self._rules = rules
        self._known = channel_names(crypto=crypto)
        self._carried: tuple[str, ...] = ()
        self.is_crypto = crypto
        self.client: Client | None = None
        self.feeds: tuple[str, ...] = ()
        self.subscription = Subscription({})

    def answer_request(self, request: object) -> Answer:
        """Return the answer to a decoded message of the client."""
        try:
            if not isinstance(request, Mapping):
                raise ProtocolError(400)
            match request.get("action"):
                case "auth":
                    return self._authenticate(request.get("key"), request.get("secret"))
                case "subscribe" | "unsubscribe":
                    return self._change_subscription(request)
            raise ProtocolError(400)
        except ProtocolError as refusal:
            return Answer((error_message(refusal.code),), refusal=refusal.code)

    def end(self) -> None:
        """Forget the session's share of the key's symbols."""
        if self.client is not None:
            self._rules.usage.remove(self, self.client)

    def _authenticate(self, key: object, secret: object) -> Answer:
        if self.client is not None:
            raise ProtocolError(403)
        if not isinstance(key, str) or not isinstance(secret, str):
            raise ProtocolError(400)
        client = self._rules.directory.authenticate(key, secret)
        if CONNECTION_LIMIT in self._rules.faults.active_kinds():
            raise ProtocolError(406)
        self.client = client
        self.feeds = self._rules.source.feeds_of_client(client)
        carried = self._rules.source.carried_channels(self.feeds)
        self._carried = tuple(name for name in self._known if name in carried)
        self.subscription = Subscription.empty(self._carried)
        return Answer((success_message(AUTHENTICATED),))

    def _change_subscription(self, request: Mapping[str, object]) -> Answer:
        if self.client is None:
            raise ProtocolError(401)
        changes = self._parse_carried_changes(request)
        before = self.subscription
        is_addition = request["action"] == "subscribe"
        after = before.with_added(changes) if is_addition else before.with_removed(changes)
        if is_addition:
            if SYMBOL_LIMIT in self._rules.faults.active_kinds():
                raise ProtocolError(405)
            self._rules.usage.check_limit(self, self.client, after)
        self._rules.usage.set_subscription(self, self.client, after)
        self.subscription = after
        return Answer((after.acknowledgement_message(),), after.quote_symbols - before.quote_symbols - {EVERYTHING})

    def _parse_carried_changes(self, request: Mapping[str, object]) -> Changes:
        """Return the requested changes; a channel that the feeds do not carry is refused with 400 if it has symbols.

        Alpaca adds corrections and cancellations to trades by itself: these are left out where they are not carried.
        """
        # alpaca-py names each channel, also those without symbols.
        asked = {name: value for name, value in request.items() if name in self._carried or value}
        changes = dict(parse_changes(asked, self._known))
        for name in FOLLOW_TRADES:
            if name not in asked and name not in self._carried:
                changes.pop(name, None)
        if not changes.keys() <= set(self._carried):
            raise ProtocolError(400)
        return changes
