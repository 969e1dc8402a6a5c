from typing import Any

from sluice_operator.adapters.pod_dry_run import KubernetesPodDryRun


class RecordedRequests:
    """A RequestSender that records each request."""

    def __init__(self) -> None:
        self.requests: list[tuple[Any, ...]] = []

    async def send_request(self, *request: Any) -> bytes:
        self.requests.append(request)
        return b"{}"


async def test_a_dry_run_posts_the_pod_to_its_namespace_and_stores_nothing() -> None:
    sender, manifest = RecordedRequests(), {"metadata": {"namespace": "acme", "name": "us-ingest"}}
    await KubernetesPodDryRun(sender).dry_run_creation(manifest)  # type: ignore[arg-type]
    assert sender.requests == [("POST", "/api/v1/namespaces/acme/pods", {"dryRun": "All"}, manifest)]
