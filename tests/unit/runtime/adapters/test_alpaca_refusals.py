import aiohttp
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from sluice_contract.status import FailureType
from sluice_runtime.adapters.alpaca_messages import ErrorMessage, SuccessMessage
from sluice_runtime.adapters.alpaca_refusals import refusal, refused_upgrade


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (401, "auth"),
        (402, "auth"),
        (404, "network"),
        (406, "connectionLimit"),
        (407, "slowClient"),
        (409, "entitlement"),
        (411, "entitlement"),
        (500, "network"),
        (599, "network"),
    ],
)
def test_each_code_has_its_kind_and_its_sentence(code: int, kind: FailureType) -> None:
    error = refusal(ErrorMessage(code=code, msg="their words"))
    assert error.kind == kind
    assert error.message.endswith(f"(code {code}: their words)")


def test_a_taken_slot_is_not_asked_for_at_once() -> None:
    assert refusal(ErrorMessage(code=406)).retry_after == 5.0


def test_a_message_out_of_turn_is_no_reason_to_give_up() -> None:
    assert not refusal(SuccessMessage(msg="connected")).fatal


@pytest.mark.parametrize(
    ("status", "after", "kind", "wait"),
    [
        (401, None, "auth", 0.0),
        (403, None, "auth", 0.0),
        (429, None, "network", 30.0),
        (429, "7", "network", 30.0),
        (429, "90", "network", 90.0),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", "network", 30.0),
        (503, "90", "network", 0.0),
    ],
)
def test_an_upgrade_refused_by_http_is_told_by_its_status(
    status: int, after: str | None, kind: FailureType, wait: float
) -> None:
    headers = CIMultiDict({"Retry-After": after} if after else {})
    request = aiohttp.RequestInfo(URL("wss://x"), "GET", CIMultiDictProxy(CIMultiDict()), URL("wss://x"))
    error = refused_upgrade(aiohttp.WSServerHandshakeError(request, (), status=status, headers=headers), "wss://x")
    assert (error.kind, error.retry_after) == (kind, wait)
    assert f"HTTP {status}" in error.message
