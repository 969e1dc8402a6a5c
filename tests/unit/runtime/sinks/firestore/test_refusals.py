"""The answers by which Firestore refuses all requests, with texts as Google sends them."""

from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo  # type: ignore[import-untyped]

from sluice_runtime.sinks.firestore.refusals import refusal_message, requested_delay_seconds

WINTER = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 6, 59, tzinfo=UTC)
DAILY = (
    "Quota exceeded for quota metric 'Free daily write units per project (free tier database)' and limit 'Free daily "
    "write units per project (free tier database) per day' of service 'firestore.googleapis.com' for consumer "
    "'project_number:1012616486416'."
)
PER_MINUTE = (
    "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute' of service "
    "'firestore.googleapis.com' for consumer 'project_number:1012616486416'."
)


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        (WINTER, "2026-11-29 08:00 UTC"),
        (SUMMER, "2026-07-01 07:00 UTC"),
        (WINTER.replace(hour=7), "2026-11-28 08:00 UTC"),
    ],
)
def test_a_daily_quota_is_named_with_the_next_midnight_in_california(now: datetime, midnight: str) -> None:
    assert refusal_message(exceptions.ResourceExhausted(DAILY), "writes", now) == (
        "Firestore refuses writes: the quota 'Free daily write units per project (free tier database)' is exhausted; "
        f"it is available again at about {midnight} (midnight Pacific time); enable billing or raise the quota if you "
        "cannot wait"
    )


def test_a_quota_per_minute_is_available_again_within_a_minute() -> None:
    message = refusal_message(exceptions.ResourceExhausted(PER_MINUTE), "reads", WINTER)
    assert message is not None
    assert message.startswith(
        "Firestore refuses reads: the quota 'Write requests' is exhausted; it is available again within a minute"
    )


def test_a_quota_without_a_name_has_both_times() -> None:
    message = refusal_message(exceptions.ResourceExhausted("Quota exceeded."), "writes", WINTER)
    assert message is not None
    assert message.startswith("Firestore refuses writes: a quota is exhausted (Quota exceeded.); a daily quota is")
    assert "2026-11-29 08:00 UTC (midnight Pacific time), a quota per minute within a minute" in message


def test_the_name_and_the_period_of_a_quota_can_be_in_the_details() -> None:
    info = ErrorInfo(
        reason="RATE_LIMIT_EXCEEDED",
        domain="googleapis.com",
        metadata={"quota_metric": "firestore.googleapis.com/read", "quota_unit": "1/min/{project}"},
    )
    error = exceptions.ResourceExhausted("Resource has been exhausted.", details=[info], error_info=info)
    message = refusal_message(error, "reads", WINTER)
    assert message is not None
    assert "the quota 'firestore.googleapis.com/read' is exhausted; it is available again within a minute" in message


def test_the_requested_delay_is_read_from_the_details() -> None:
    retry = RetryInfo(retry_delay=Duration(seconds=17))
    assert requested_delay_seconds(exceptions.ResourceExhausted("", details=[retry])) == 17.0
    assert requested_delay_seconds(exceptions.ResourceExhausted("")) == 0.0
    assert timedelta(seconds=17) == retry.retry_delay.ToTimedelta()


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (exceptions.PermissionDenied("Missing or insufficient permissions."), "grant the role roles/datastore.user"),
        (exceptions.Unauthenticated("Request had invalid authentication credentials."), "replace the service account"),
        (exceptions.NotFound("The database (default) does not exist for project acme."), "create the database"),
        (
            exceptions.NotFound("The project acme does not exist or it does not contain an active Cloud Datastore"),
            "create the database",
        ),
        (
            exceptions.FailedPrecondition(
                "The Cloud Firestore API is not available for Firestore in Datastore Mode database projects/acme"
            ),
            "create a database in Native mode",
        ),
        (
            exceptions.FailedPrecondition("The Cloud Firestore API is not available for Cloud Datastore projects."),
            "create a database in Native mode",
        ),
    ],
    ids=str,
)
def test_a_refusal_of_the_whole_database_says_what_to_do(error: exceptions.GoogleAPICallError, remedy: str) -> None:
    message = refusal_message(error, "writes", WINTER)
    assert message is not None
    assert message.startswith(f"Firestore refused the request: {error}; {remedy}")


@pytest.mark.parametrize(
    "error",
    [
        exceptions.NotFound("No document to update: projects/acme/databases/(default)/documents/tenants/t/x/y"),
        exceptions.FailedPrecondition("the stored version (2) does not match the required base version (1)"),
        exceptions.Aborted("Too much contention on these documents. Please try again."),
        exceptions.InvalidArgument("The value of property is longer than 1048487 bytes."),
        exceptions.ServiceUnavailable("The service is temporarily unavailable."),
        exceptions.DeadlineExceeded("Deadline Exceeded"),
    ],
    ids=str,
)
def test_other_errors_are_no_refusal_of_the_whole_database(error: exceptions.GoogleAPICallError) -> None:
    assert refusal_message(error, "writes", WINTER) is None
