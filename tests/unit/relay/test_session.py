import msgspec
import pytest

from sluice_relay.clients import Client, ClientDirectory
from sluice_relay.faults import FaultClock, ScriptedFault
from sluice_relay.session import Session, SessionRules, SymbolUsage
from support.relay_source import CLIENT, ListSource

AUTH = {"action": "auth", "key": "key", "secret": "secret"}


def rules(client: Client = CLIENT, *faults: str) -> SessionRules:
    clock = FaultClock([ScriptedFault(kind, 0, 60) for kind in faults], clock=lambda: 0.0)  # type: ignore[arg-type]
    clock.start()
    return SessionRules(ClientDirectory({client.key: client}), ListSource(), SymbolUsage(), clock)


def authenticated(shared: SessionRules) -> Session:
    session = Session(shared, crypto=False)
    assert session.answer_request(AUTH).messages == ({"T": "success", "msg": "authenticated"},)
    return session


def code(session: Session, **request: object) -> int | None:
    return session.answer_request(request).refusal


def test_a_subscription_is_acknowledged_with_the_carried_channels() -> None:
    session = authenticated(rules())
    answer = session.answer_request({"action": "subscribe", "trades": ["SPY"], "quotes": ["SPY", "BRK.B"]})

    assert answer.messages == ({"T": "subscription", "trades": ["SPY"], "quotes": ["BRK.B", "SPY"]},)
    assert answer.snapshot_symbols == {"SPY", "BRK.B"}
    after = session.answer_request({"action": "unsubscribe", "quotes": ["SPY"], "bars": []})
    assert after.messages == ({"T": "subscription", "trades": ["SPY"], "quotes": ["BRK.B"]},)
    assert after.snapshot_symbols == frozenset()


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ({"action": "subscribe", "bars": ["SPY"]}, 400),  # a channel of the vendor that the feed does not carry
        ({"action": "subscribe", "orderbooks": ["SPY"]}, 410),
        ({"action": "subscribe", "quotes": ["A B"]}, 400),
        ({"action": "listen"}, 400),
        (AUTH, 403),
        (None, 400),
    ],
)
def test_requests_that_are_refused_change_nothing(request_: object, refusal: int) -> None:
    session = authenticated(rules())

    assert session.answer_request(request_).refusal == refusal
    assert not session.subscription


def test_nothing_but_the_right_secret_authenticates() -> None:
    session = Session(rules(), crypto=False)

    assert code(session, action="subscribe", quotes=["SPY"]) == 401
    assert code(session, action="auth", key="key", secret="wrong") == 402
    assert code(session, action="auth", key="key") == 400
    assert session.client is None


def test_the_symbols_of_all_connections_of_a_key_count() -> None:
    shared = rules(msgspec.structs.replace(CLIENT, symbols=2))
    first, second = authenticated(shared), authenticated(shared)

    assert code(first, action="subscribe", quotes=["SPY", "AAPL"]) is None
    assert code(second, action="subscribe", quotes=["SPY"]) is None  # the same symbol counts once
    assert code(second, action="subscribe", quotes=["IBM"]) == 405
    assert code(second, action="subscribe", trades=["SPY"]) == 405
    assert code(second, action="subscribe", quotes=["*"]) == 405
    first.end()
    assert code(second, action="subscribe", quotes=["IBM"]) is None


def test_a_client_without_jobs_has_no_channels() -> None:
    session = authenticated(rules(Client(key="key", secret="secret")))

    assert code(session, action="subscribe", quotes=["SPY"]) == 400


def test_scripted_faults_refuse_authentication_and_subscriptions() -> None:
    assert code(Session(rules(CLIENT, "406"), crypto=False), **AUTH) == 406
    session = authenticated(rules(CLIENT, "405"))
    assert code(session, action="subscribe", quotes=["SPY"]) == 405
    assert code(session, action="unsubscribe", quotes=["SPY"]) is None
