from datetime import timedelta

import pytest

from sluice_cli.commands.arguments import argument_parser
from sluice_cli.commands.context import UsageError
from sluice_cli.commands.pause_request import PauseRequest, pause_request
from sluice_cli.commands.selection import selection_of
from support.fake_kubectl import NOW


def request(words: str, reason: str = "vendor incident") -> PauseRequest:
    given = ["pause", *words.split(), *(["--reason", reason] if reason else [])]
    options = argument_parser(given).parse_args(given)
    return pause_request(options, selection_of(options, options.jobs), NOW)


@pytest.mark.parametrize(
    ("words", "prefix", "spec"),
    [
        ("us crypto", "us-", {"jobs": ["us", "crypto"]}),
        ("us --symbols spy,ON", "us-", {"jobs": ["us"], "symbols": ["SPY", "ON"]}),
        ("--all", "all-", {"jobSelector": {}}),
        ("-l desk=rates", "selected-", {"jobSelector": {"matchLabels": {"desk": "rates"}}}),
        ("us --for 30m", "us-", {"jobs": ["us"], "until": "2026-11-27T14:30:00Z"}),
        ("us --until 15:00Z", "us-", {"jobs": ["us"], "until": "2026-11-27T15:00:00Z"}),
    ],
)
def test_a_pause_in_a_namespace_has_what_was_named(words: str, prefix: str, spec: dict[str, object]) -> None:
    found = request(words).document("alice")
    assert found["kind"] == "IngestPause"
    assert found["metadata"] == {"generateName": prefix}
    assert found["spec"] == {**spec, "reason": "vendor incident", "by": "alice"}


@pytest.mark.parametrize(
    ("words", "prefix", "providers"),
    [
        ("--fleet", "fleet-", None),
        ("--fleet --provider alpaca:sip", "alpaca-", [{"name": "alpaca", "feeds": ["sip"]}]),
        (
            "--fleet --provider alpaca:sip --provider alpaca:iex --provider ibkr",
            "alpaca-ibkr-",
            [{"name": "alpaca", "feeds": ["sip", "iex"]}, {"name": "ibkr"}],
        ),
        ("--fleet --provider alpaca:sip --provider alpaca", "alpaca-", [{"name": "alpaca"}]),
    ],
)
def test_a_pause_of_the_fleet_names_providers_only(words: str, prefix: str, providers: object) -> None:
    found = request(words).document("")
    assert (found["kind"], found["metadata"]) == ("ClusterIngestPause", {"generateName": prefix})
    assert found["spec"] == ({"providers": providers} if providers else {}) | {"reason": "vendor incident"}


@pytest.mark.parametrize(
    ("words", "reason", "message"),
    [
        ("", "x", "say what to pause"),
        ("us --all", "x", "say what to pause"),
        ("us", "", "say why"),
        ("us", "  ", "say why"),
        ("us", "x" * 257, "at most 256 characters"),
        ("us --for 30", "x", "--for 30 is not a duration"),
        ("us --for 9999999d", "x", "is not a duration"),
        ("us --until 13:00", "x", "is not a time"),
        ("us --until 2026-11-27T13:00:00Z", "x", "has passed: it is now 2026-11-27T14:00:00Z"),
        ("us --for 1m --until 15:00Z", "x", "not both"),
        ("us --provider alpaca", "x", "--provider narrows --fleet"),
        ("--fleet -n acme", "x", "leave -n out"),
        (" ".join(f"j{number}" for number in range(101)), "x", "at most 100 jobs"),
        ("us --symbols " + ",".join(f"S{number}" for number in range(201)), "x", "at most 200 symbols"),
    ],
)  # fmt: skip
def test_what_would_be_refused_says_what_to_write(words: str, reason: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        request(words, reason)


def test_a_long_name_leaves_room_for_what_the_api_server_adds() -> None:
    prefix = request("j" * 70).document("")["metadata"]["generateName"]
    assert len(prefix) == 58
    assert request("us --for 1d").until == NOW + timedelta(days=1)
