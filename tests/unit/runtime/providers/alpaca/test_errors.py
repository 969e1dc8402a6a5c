from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sluice_contract.status import FailureType
from sluice_runtime.providers.alpaca.errors import (
    ConnectionLimitTracker,
    Remedies,
    error_of_message,
    rejection_text,
    untrusted_certificate_error,
    upgrade_refused_error,
    with_remedy,
)
from sluice_runtime.providers.alpaca.messages import ErrorMessage, SuccessMessage

REMEDIES = Remedies("check the pair", "name its CA")


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
def test_each_code_has_its_type_and_its_message(code: int, kind: FailureType) -> None:
    error = error_of_message(ErrorMessage(code=code, msg="their words"))
    assert error.kind == kind
    assert error.message.endswith(f"(code {code})")
    assert "their words" not in error.message


def test_a_connection_limit_is_not_retried_at_once() -> None:
    assert error_of_message(ErrorMessage(code=406)).retry_after == 5.0


def test_an_unexpected_message_is_not_fatal() -> None:
    assert not error_of_message(SuccessMessage(msg="connected")).is_fatal


@pytest.mark.parametrize(
    ("status", "after", "kind", "wait"),
    [
        (401, "", "auth", 0.0),
        (403, "", "auth", 0.0),
        (429, "", "network", 30.0),
        (429, "7", "network", 30.0),
        (429, "90", "network", 90.0),
        (429, "Wed, 21 Oct 2026 07:30:00 GMT", "network", 120.0),
        (429, "Wednesday, 21-Oct-26 07:30:00 GMT", "network", 120.0),
        (429, "Wed Oct 21 07:30:00 2026", "network", 120.0),
        (429, "Wed, 21 Oct 2026 09:30:00 +0200", "network", 120.0),
        (429, "Wed, 21 Oct 2026 07:27:00 GMT", "network", 30.0),
        (429, "Wed, 21 Oct 2099 07:27:00 GMT", "network", 3600.0),
        (429, "Wed, 99 Oct 2026 07:30:00 GMT", "network", 30.0),
        (429, "tomorrow", "network", 30.0),
        (429, " 90 ", "network", 90.0),
        (429, "²", "network", 30.0),
        (429, "99999", "network", 3600.0),
        (429, "9" * 400, "network", 30.0),
        (503, "90", "network", 90.0),
        (503, "Wed, 21 Oct 2026 07:28:07 GMT", "network", 7.0),
        (503, "", "network", 0.0),
        (200, "", "network", 0.0),
    ],
)
def test_an_upgrade_rejected_by_http_is_reported_by_its_status(
    status: int, after: str, kind: FailureType, wait: float
) -> None:
    headers = {"Retry-After": after, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    error = upgrade_refused_error(status, headers, "wss://x")
    assert (error.kind, error.retry_after) == (kind, wait)
    assert f"HTTP {status}" in error.message


def test_a_date_to_retry_after_is_compared_with_the_own_clock_only_without_a_date_header() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 95 < upgrade_refused_error(503, {"retry-after": at}, "wss://x").retry_after <= 100
    assert 95 < upgrade_refused_error(503, {"retry-after": at, "date": "now"}, "wss://x").retry_after <= 100


def test_a_response_that_is_no_upgrade_is_described() -> None:
    error = upgrade_refused_error(200, {}, "wss://x", "an HTML page")
    assert error.message.startswith("wss://x answered HTTP 200 with an HTML page and opened no")
    assert "check spec.alpaca.streamURL" in error.message


@pytest.mark.parametrize("status", [301, 308])
def test_a_redirect_names_the_setting_and_not_the_target(status: int) -> None:
    error = upgrade_refused_error(status, {"Location": "wss://planted.example"}, "wss://x")
    assert error.message.startswith(
        f"wss://x answered with a redirect (HTTP {status}), which is not followed; set spec."
    )
    assert "planted" not in error.message


@pytest.mark.parametrize("code", [400, 405, 410, 499])
def test_a_rejected_subscription_has_a_sentence(code: int) -> None:
    assert rejection_text(code)[0].isalpha()


def test_an_untrusted_certificate_blocks_and_is_checked_again() -> None:
    error = with_remedy(untrusted_certificate_error("wss://x", "self-signed certificate"), REMEDIES)
    assert (error.kind, error.is_fatal, error.retry_within) == ("certificate", True, 120.0)
    assert error.message.endswith("; name its CA")


def test_a_refused_key_pair_has_the_remedy_of_its_place_and_other_errors_are_unchanged() -> None:
    refused = with_remedy(error_of_message(ErrorMessage(code=402, msg="auth failed")), REMEDIES)
    assert refused.message == "Alpaca refuses the credentials (code 402); check the pair"
    upgrade = with_remedy(upgrade_refused_error(403, {}, "wss://x"), REMEDIES)
    assert upgrade.message == "wss://x refuses the credentials (HTTP 403); check the pair"
    other = error_of_message(ErrorMessage(code=406, msg="limit"))
    assert with_remedy(other, REMEDIES) is other


def test_a_key_in_use_elsewhere_is_reported_after_three_minutes_and_retried_within_30_s() -> None:
    contention, refused = ConnectionLimitTracker(), error_of_message(ErrorMessage(code=406))
    assert "another client uses it" in contention.record_and_explain_login_error(refused, 0.0).message
    assert "another client uses it" in contention.record_and_explain_login_error(refused, 179.0).message
    later = contention.record_and_explain_login_error(refused, 181.0)
    assert later.message.startswith("this key is used elsewhere: for 3 minutes")
    assert (later.kind, later.retry_after, later.retry_within) == ("connectionLimit", 5.0, 30.0)
    contention.record_login_success()
    assert "another client uses it" in contention.record_and_explain_login_error(refused, 600.0).message
