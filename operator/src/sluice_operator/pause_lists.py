"""Full LISTs of the pauses, which correct their caches. A kind that cannot be listed keeps no job from running."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sluice_contract import identity

from .domain.optional_kinds import FORBIDDEN, NOT_FOUND
from .domain.pause_objects import PauseKey, PauseObject
from .kind_access import KindAccess
from .object_cache import ObjectCache
from .pause_state import PauseState
from .ports import NotFound, PauseStore, RequestRefused


class PauseLists:
    """LISTs of both kinds of pauses into their caches."""

    def __init__(self, store: PauseStore, pauses: PauseState, access: KindAccess) -> None:
        self._access = access
        self._kinds: dict[str, tuple[ObjectCache[PauseObject], Callable[[], Awaitable[list[PauseObject]]]]] = {
            identity.CLUSTER_PAUSES: (pauses.of_cluster, store.list_cluster_pauses),
            identity.PAUSES: (pauses.namespaced, store.list_pauses),
        }

    async def replace_caches(self) -> dict[str, dict[PauseKey, int | None]]:
        """List both kinds and correct their caches. Return the versions that differed, by kind; None: it was removed.

        A kind that is not served has no pauses. If the operator may not list a kind, its known pauses stay. Raises
        `ClusterError` if the API server does not answer.
        """
        differed = {}
        for plural, (cache, list_objects) in self._kinds.items():
            cache.begin_to_record_changes()
            try:
                listed = await list_objects()
            except NotFound:
                self._access.record_refusal(plural, NOT_FOUND)
                listed = []
            except RequestRefused:
                self._access.record_refusal(plural, FORBIDDEN)
                continue
            differed[plural] = cache.replace_all({each.key: each for each in listed}, is_kept=lambda _: False)
        return differed
