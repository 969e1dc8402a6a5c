"""What to do if ingest pods may not watch a kind of pauses."""

from __future__ import annotations

from typing import Final

from sluice_contract import identity

# By the kind: the role that gives ingest pods the right, and how it is bound.
_ROLES: Final = {
    identity.PAUSES: f"ClusterRole {identity.RUNTIME_CLUSTER_ROLE}",
    identity.CLUSTER_PAUSES: "ClusterRole sluice-clusterpauses-read and its ClusterRoleBinding",
}
PAUSE_PLURALS: Final = tuple(_ROLES)


def access_problem_sentence(plural: str) -> str:
    """Return a sentence: which accounts may not watch the kind, what that means, and what to apply.

    It is in the status of pauses, which other tenants can read, so it names no namespace.
    """
    return (
        f"The ServiceAccounts {identity.SERVICE_ACCOUNT} may not watch {plural}, so running pods do not see them: "
        f"apply {_ROLES[plural]} of the operator's version."
    )
