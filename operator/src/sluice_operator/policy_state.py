"""The known IngestPolicies, the labels of the namespaces, and how the policies apply to each job, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from sluice_contract.policies import IngestPolicy, IngestPolicySpec
from sluice_contract.resource import resource_version_number

from .domain.document_claims import creation_order
from .domain.namespace_policies import NamespacePolicies
from .domain.objects import Job, Key
from .domain.policy_denials import PolicyDenial
from .domain.policy_evaluation import PolicedJob
from .domain.policy_objects import PolicyObject, TenantNamespace
from .domain.policy_status import PolicyEffect
from .domain.policy_verdict import PolicyVerdict, stored_verdict

Labels = Mapping[str, str]


class PolicyState:
    """Knows how policies apply to each job. A change adds the jobs that it concerns to the work queue.

    A change of a policy, or of the labels of a namespace, adds the jobs of the namespaces that it selects differently.
    They are evaluated when the first of them is reconciled. A change of a job adds at most one other job; the others
    whose denial it begins or ends follow when they are reconciled for another reason, at the latest at the next resync.
    """

    def __init__(self, changed: Callable[[Key], None]) -> None:
        """`changed` adds the key of a job to the work queue."""
        self.namespaces = TenantNamespaces(self._update_selections)
        self._changed = changed
        self._is_listed = False
        self._was_known = False
        self._objects: dict[str, PolicyObject] = {}
        self._policies: dict[str, IngestPolicy] = {}  # of each policy the last version that was understood
        self._changed_policies: set[str] = set()  # whose status may be outdated
        self._jobs: dict[str, dict[str, PolicedJob]] = {}  # by namespace and name
        self._selected: dict[str, tuple[IngestPolicy, ...]] = {}  # by namespace; none without policies
        self._evaluated: dict[str, NamespacePolicies] = {}
        self._waiting: dict[str, set[str]] = {}  # the jobs that do not show a change of their policies yet

    @property
    def is_known(self) -> bool:
        """Whether the policies are known since the operator's start. Until then, a job keeps what its status says."""
        return self._is_listed and (self.namespaces.is_listed or not self._policies)

    def replace_all(self, objects: Sequence[PolicyObject]) -> None:
        """Make the known policies equal to a LIST."""
        names = {each.metadata.name for each in objects}
        for gone in self._objects.keys() - names:
            self._forget(gone)
        for each in objects:
            self._store(each)
        self._is_listed = True
        self._update_selections(self._jobs.keys() | self.namespaces.names())

    def put(self, value: PolicyObject) -> None:
        """Store a new or changed policy. If it is not understood, its last understood version stays in force."""
        before = self._policies.get(value.metadata.name)
        self._store(value)
        now = self._policies.get(value.metadata.name)
        if (before is None) != (now is None) or (before is not None and now is not None and before.spec != now.spec):
            self._update_selections(self.namespaces.names())

    def put_written(self, value: PolicyObject) -> None:
        """Store a policy that a write of its status has returned, unless the watch has shown its deletion or more."""
        known = self._objects.get(value.metadata.name)
        if known is not None and _uid(known) == _uid(value) and _version(known) <= _version(value):
            self.put(value)

    def remove(self, value: PolicyObject) -> None:
        """Remove a policy that was deleted."""
        self._forget(value.metadata.name)
        self._update_selections(self.namespaces.names())

    def policy_object(self, name: str) -> PolicyObject | None:
        """Return the stored policy with this name; None if there is none."""
        return self._objects.get(name)

    def __len__(self) -> int:
        return len(self._objects)

    def put_job(self, job: Job) -> None:
        """Store a new or changed job. If its spec is not understood, the last one that was understood counts."""
        namespace, name = job.key
        if job.spec is None:
            return
        policed = PolicedJob(namespace, name, creation_order(job), job.spec)
        known = self._jobs.get(namespace, {}).get(name)
        if known is not None and known.place != policed.place:
            self.remove_job(job.key)
            known = None
        self._jobs.setdefault(namespace, {})[name] = policed
        evaluated = self._evaluated.get(namespace)
        if evaluated is not None:
            self._requeue_first(namespace, evaluated.replace_job(policed, is_new=known is None))
        self._mark_selected_policies(namespace)

    def remove_job(self, key: Key) -> None:
        """Remove a job that was deleted."""
        namespace, name = key
        job = self._jobs.get(namespace, {}).pop(name, None)
        if job is None:
            return
        if not self._jobs[namespace]:
            del self._jobs[namespace]
        self._record_shown(namespace, name)
        evaluated = self._evaluated.get(namespace)
        if evaluated is not None:
            self._requeue_first(namespace, evaluated.remove_job(job))
        self._mark_selected_policies(namespace)

    def verdict(self, job: Job | None) -> PolicyVerdict | None:
        """Return how the policies apply to a job; None if none selects its namespace.

        The caller writes it into the status of the job. If the spec was never understood, the status stays as it is.
        """
        if job is None:
            return None
        if not self.is_known:
            return stored_verdict(job.status)
        namespace, name = job.key
        self._record_shown(namespace, name)
        policed, evaluated = self._jobs.get(namespace, {}).get(name), self._evaluated_namespace(namespace)
        if evaluated is None:
            return None
        return evaluated.verdict(policed) if policed is not None else stored_verdict(job.status)

    async def effect_of_policy(self, policy: str) -> PolicyEffect:
        """Return the effect of a policy on all namespaces that it selects. Other tasks run between the namespaces."""
        namespaces = jobs = waiting = 0
        denials: list[tuple[PolicedJob, PolicyDenial]] = []
        for namespace, selected in list(self._selected.items()):
            if all(each.metadata.name != policy for each in selected):
                continue
            await asyncio.sleep(0)
            evaluated = self._evaluated_namespace(namespace)
            if evaluated is not None:
                namespaces += 1
                jobs += evaluated.job_count
                waiting += len(self._waiting.get(namespace, ()))
                denials += evaluated.denials_by_policy(policy)
        return PolicyEffect(namespaces=namespaces, jobs=jobs, waiting_jobs=waiting, denials=denials)

    def take_changed_policies(self) -> list[str]:
        """Return the names of the policies whose status may be outdated, once each."""
        changed, self._changed_policies = self._changed_policies, set()
        return sorted(changed)

    def mark_policies_changed(self, names: Iterable[str]) -> None:
        """Return these policies with the next `take_changed_policies`."""
        self._changed_policies.update(names)

    def mark_all_policies_changed(self) -> None:
        """Return all policies with the next `take_changed_policies`."""
        self._changed_policies.update(self._objects)

    def _store(self, value: PolicyObject) -> None:
        name = value.metadata.name
        known = self._policies.get(name)
        self._objects[name] = value
        self._changed_policies.add(name)
        if value.policy is not None:
            self._policies[name] = value.policy
        elif known is not None and known.metadata.uid != value.metadata.uid:
            del self._policies[name]

    def _forget(self, name: str) -> None:
        self._objects.pop(name, None)
        self._policies.pop(name, None)

    def _evaluated_namespace(self, namespace: str) -> NamespacePolicies | None:
        """Return the evaluation of a namespace, computed on first use; None if no policy selects it."""
        selected = self._selected.get(namespace)
        if selected is None:
            return None
        evaluated = self._evaluated.get(namespace)
        if evaluated is None:
            evaluated = self._evaluated[namespace] = NamespacePolicies(selected)
            evaluated.add_jobs(self._jobs.get(namespace, {}).values())
        return evaluated

    def _update_selections(self, namespaces: Iterable[str]) -> None:
        """Find the policies that select each namespace. Add the jobs of those where they have changed to the queue."""
        self._requeue_all_when_first_known()
        policies = [self._policies[name] for name in sorted(self._policies)]
        for namespace in namespaces:
            labels = self.namespaces.labels(namespace)
            selected = tuple(
                each for each in policies if labels is not None and each.spec.namespace_selector.matches(labels)
            )
            before = self._selected.pop(namespace, ())
            if selected:
                self._selected[namespace] = selected
            if [_name_and_spec(each) for each in before] != [_name_and_spec(each) for each in selected]:
                self._evaluated.pop(namespace, None)
                self._changed_policies.update(each.metadata.name for each in (*before, *selected))
                self._requeue_all(namespace)

    def _requeue_all_when_first_known(self) -> None:
        """Add all jobs to the queue when the policies are known for the first time: a status may have an old one."""
        if self.is_known and not self._was_known:
            self._was_known = True
            for namespace in list(self._jobs):
                self._requeue_all(namespace)

    def _requeue_all(self, namespace: str) -> None:
        names = self._jobs.get(namespace, {}).keys()
        self._waiting.setdefault(namespace, set()).update(names)
        for name in names:
            self._changed((namespace, name))

    def _record_shown(self, namespace: str, name: str) -> None:
        waiting = self._waiting.get(namespace)
        if waiting is None:
            return
        waiting.discard(name)
        if not waiting:
            del self._waiting[namespace]
            self._mark_selected_policies(namespace)

    def _mark_selected_policies(self, namespace: str) -> None:
        self._changed_policies.update(each.metadata.name for each in self._selected.get(namespace, ()))

    def _requeue_first(self, namespace: str, names: list[str]) -> None:
        if names:
            self._changed((namespace, names[0]))


class TenantNamespaces:
    """The labels of the namespaces that serve a tenant: they have the label `sluice.dev/tenant`."""

    def __init__(self, changed: Callable[[Iterable[str]], None]) -> None:
        """`changed` is called with the names of the namespaces whose labels may have changed."""
        self.is_listed = False
        self._changed = changed
        self._labels: dict[str, Labels] = {}

    def labels(self, namespace: str) -> Labels | None:
        """Return the labels of a namespace; None if it serves no tenant."""
        return self._labels.get(namespace)

    def names(self) -> set[str]:
        """Return the names of all namespaces that serve a tenant."""
        return set(self._labels)

    def replace_all(self, objects: Sequence[TenantNamespace]) -> None:
        """Make the known namespaces equal to a LIST."""
        before, self._labels = self._labels, {each.name: each.labels for each in objects}
        self.is_listed = True
        self._changed(before.keys() | self._labels.keys())

    def put(self, value: TenantNamespace) -> None:
        """Store the labels of a namespace."""
        self._labels[value.name] = value.labels
        self._changed([value.name])

    def remove(self, value: TenantNamespace) -> None:
        """Remove a namespace that was deleted, or serves no tenant any more."""
        self._labels.pop(value.name, None)
        self._changed([value.name])


def _uid(stored: PolicyObject) -> str:
    return stored.metadata.uid


def _version(stored: PolicyObject) -> int:
    return resource_version_number(stored.metadata.resource_version)


def _name_and_spec(policy: IngestPolicy) -> tuple[str, IngestPolicySpec]:
    return policy.metadata.name, policy.spec
