"""The exceptions of Google's packages as errors of the sink."""

import pytest
from google.api_core import exceptions
from google.auth.exceptions import RefreshError

from sluice_runtime.domain.failure import FencedError, SinkError
from sluice_runtime.sinks.firestore.failures import raising_sink_errors


def raised(error: Exception, document: str | None = None) -> SinkError:
    with pytest.raises(SinkError) as found, raising_sink_errors(document):
        raise error
    return found.value


@pytest.mark.parametrize("error", [exceptions.DeadlineExceeded("Deadline Exceeded"), TimeoutError()], ids=repr)
def test_a_call_without_an_answer_says_how_long_it_waited(error: Exception) -> None:
    found = raised(error)
    assert found.message == "Firestore did not accept a write within 2.5 s"
    assert (found.retry_after, found.scope) == (0.0, "unknown")


def test_a_document_that_is_refused_is_not_soon_retried() -> None:
    found = raised(exceptions.InvalidArgument("too long"), "live_quotes/AAPL")
    assert found.message == "Firestore refused the request: 400 too long"
    assert (found.retry_after, found.scope, found.document) == (30.0, "documents", "live_quotes/AAPL")


@pytest.mark.parametrize(
    "error",
    [
        exceptions.Aborted("Transaction lock timeout."),
        exceptions.FailedPrecondition("the stored version (2) does not match the required base version (1)"),
        exceptions.AlreadyExists("entity already exists"),
        exceptions.NotFound("No document to update"),
    ],
    ids=repr,
)
def test_contention_concerns_only_the_documents_of_the_request(error: Exception) -> None:
    found = raised(error)
    assert found.message == (
        f"Firestore did not accept a write: {str(error).rstrip('.')}; another client locks it or keeps writing it; "
        "shorten that client's transactions"
    )
    assert (found.retry_after, found.scope, found.document) == (0.0, "documents", None)


@pytest.mark.parametrize(
    "error",
    [exceptions.ServiceUnavailable("away"), RefreshError("no token"), OSError("no route"), ValueError("odd")],
    ids=repr,
)
def test_any_other_failure_is_named_by_its_first_line(error: Exception) -> None:
    assert raised(error).message == f"Firestore did not accept a write: {error}"
    assert raised(error).scope == "database"


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


def test_an_error_that_is_not_from_google_s_packages_passes() -> None:
    with pytest.raises(KeyError), raising_sink_errors():
        raise KeyError("a mistake")
