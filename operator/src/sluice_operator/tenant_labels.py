"""Reads which tenant each namespace with jobs serves. The result is in the cluster state."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from .domain.objects import Job, Key
from .domain.observation import NamespaceTenant
from .domain.tenant_checks import REREAD_SECONDS, tenant_change_message
from .informer_cache import ClusterState, RecordedTenant
from .ports import Cluster, ClusterError, NotFound, RequestRefused

log = logging.getLogger(__name__)

_CHECK_SECONDS = 240.0  # the shortest time between two resyncs, each of which reconciles every job
_SPARE_RECORDS = 100  # of namespaces whose jobs are gone, until they are removed


class TenantLabels:
    """The tenant labels of the Namespaces with jobs, each read when it is needed and the last reading is too old."""

    def __init__(self, cluster: Cluster, store: ClusterState, monotonic: Callable[[], float]) -> None:
        """`monotonic` returns the time in seconds."""
        self._cluster = cluster
        self._store = store
        self._monotonic = monotonic
        self._is_refusal_logged = False

    def tenant_of(self, namespace: str) -> NamespaceTenant | None:
        """Return the tenant that the namespace served when its label was last read; None before the first read."""
        record = self._store.tenants.get(namespace)
        if record is None:
            return None
        return NamespaceTenant(record.label, record.was_labelled, self._monotonic() - record.at)

    async def has_changed(self, job: Job) -> bool:
        """Return whether the job's namespace no longer serves its tenant. Read the label unless that was done lately.

        Raises `ClusterError` if it cannot be read now.
        """
        namespace = job.metadata.namespace
        await self.refresh_if_old(namespace)
        return bool(tenant_change_message(job, self.tenant_of(namespace)))

    async def check_occasionally(self, key: Key) -> None:
        """Read the label every few minutes, also if nothing has to be created. A failure has no effect."""
        if self._store.jobs.get(key) is not None:
            with contextlib.suppress(ClusterError):
                await self.refresh_if_old(key[0], _CHECK_SECONDS)

    async def check_after_refusal(self, namespace: str) -> None:
        """Read the label now, because a policy that refused a pod may know of a change. A failure has no effect."""
        with contextlib.suppress(ClusterError):
            await self.refresh_if_old(namespace, 0)

    async def refresh_if_old(self, namespace: str, seconds: float = REREAD_SECONDS) -> None:
        """Read the label, unless that was tried in the last `seconds`. A change retries the jobs of the namespace.

        An operator without the right to read it keeps the last known label. Raises `ClusterError` for other failures.
        """
        earlier = self._store.tenants.get(namespace)
        if earlier is not None and self._monotonic() - earlier.at < seconds:
            return
        known, was_labelled = (earlier.label, earlier.was_labelled) if earlier is not None else (None, False)
        try:
            label = await self._cluster.read_tenant_label(namespace)
        except (RequestRefused, NotFound) as error:
            self._log_first_refusal(namespace, error)
            label = known
        self._store.tenants[namespace] = RecordedTenant(label, was_labelled or label is not None, self._monotonic())
        if earlier is not None and label != earlier.label:
            log.warning(
                "the tenant of a namespace has changed",
                extra={"namespace": namespace, "tenant": label, "earlier_tenant": earlier.label},
            )
            self._store.retry_jobs_of_namespace(namespace)
        self._remove_unused_records()

    def _log_first_refusal(self, namespace: str, error: RequestRefused | NotFound) -> None:
        if not self._is_refusal_logged and isinstance(error, RequestRefused):
            self._is_refusal_logged = True
            log.warning(
                "the tenants of namespaces are not checked; let the operator get Namespaces, as ClusterRole "
                "sluice-operator-read does",
                extra={"namespace": namespace, "error": str(error)},
            )

    def _remove_unused_records(self) -> None:
        used = len(self._store.jobs)
        if len(self._store.tenants) > used + _SPARE_RECORDS:
            namespaces = {namespace for namespace, _ in self._store.jobs}
            for unused in self._store.tenants.keys() - namespaces:
                del self._store.tenants[unused]
