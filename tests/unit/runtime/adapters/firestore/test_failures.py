"""The exceptions of Google's packages as errors of the sink."""

import pytest
from google.api_core import exceptions
from google.auth.exceptions import RefreshError

from sluice_runtime.adapters.firestore.failures import raising_sink_errors
from sluice_runtime.domain.failure import FencedError, SinkError


def raised(error: Exception) -> SinkError:
    with pytest.raises(SinkError) as found, raising_sink_errors():
        raise error
    return found.value


@pytest.mark.parametrize("error", [exceptions.DeadlineExceeded("Deadline Exceeded"), TimeoutError()], ids=repr)
def test_a_call_without_an_answer_says_how_long_it_waited(error: Exception) -> None:
    assert raised(error).message == "Firestore did not accept a write within 2.5 s"
    assert raised(error).retry_after == 0.0


@pytest.mark.parametrize(
    "error", [exceptions.PermissionDenied("no"), exceptions.NotFound("no"), exceptions.Unauthenticated("no")], ids=repr
)
def test_a_rejection_that_a_person_must_fix_is_not_soon_retried(error: Exception) -> None:
    assert raised(error).message == f"Firestore refused the request: {error}"
    assert raised(error).retry_after == 30.0


@pytest.mark.parametrize(
    "error",
    [exceptions.ServiceUnavailable("away"), RefreshError("no token"), OSError("no route"), ValueError("odd")],
    ids=repr,
)
def test_any_other_failure_is_named_by_its_first_line(error: Exception) -> None:
    assert raised(error).message == f"Firestore did not accept a write: {error}"


def test_a_long_error_is_cut_to_its_first_line() -> None:
    assert raised(OSError("one\ntwo")).message == "Firestore did not accept a write: one"
    assert raised(OSError()).message == "Firestore did not accept a write: OSError"


def test_errors_of_our_own_pass_unchanged() -> None:
    for error in (FencedError("later"), SinkError("ours", 5.0)):
        with pytest.raises(type(error)) as found, raising_sink_errors():
            raise error
        assert found.value is error


def test_a_failure_through_a_proxy_names_the_proxy_and_never_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    refused = raised(exceptions.ServiceUnavailable("ipv4:10.0.0.1:3128: HTTP proxy returned response code 407")).message
    assert "the proxy http://proxy.example:3128 (HTTPS_PROXY) refuses the connection (HTTP 407); check the" in refused
    quoted = raised(OSError("no route to http://me:secret@proxy.example:3128")).message
    assert quoted.endswith(
        "no route to http://proxy.example:3128 through the proxy http://proxy.example:3128 (HTTPS_PROXY)"
    )
    assert raised(TimeoutError()).message.endswith("2.5 s through the proxy http://proxy.example:3128 (HTTPS_PROXY)")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@proxy.example")
    assert raised(TimeoutError()).message == "Firestore did not accept a write within 2.5 s"
