"""Which keys the Secrets of jobs have. kubectl prints the names of the keys only, so no value reaches the plugin."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.findings import Finding
from ..model.fleet import Unseen
from ..model.pod_findings import SecretNeed, secret_findings
from ..transport import Kubectl, NotFoundError, Request, TransportError, output_of

_KEYS = 'go-template={{range $key, $value := .data}}{{$key}}{{"\\n"}}{{end}}'
_AT_ONCE = 8  # processes of kubectl


def read_secret_findings(kubectl: Kubectl, needs: Iterable[SecretNeed]) -> tuple[list[Finding], list[Unseen], int]:
    """Return what is missing in the Secrets, those that could not be seen, and how many were seen."""
    wanted = list(needs)
    secrets = list(dict.fromkeys((each.namespace, each.name) for each in wanted))
    keys: dict[tuple[str, str], frozenset[str] | None] = {}
    for start in range(0, len(secrets), _AT_ONCE):
        some = secrets[start : start + _AT_ONCE]
        requests = [kubectl.start("get", "secret", name, "-n", namespace, "-o", _KEYS) for namespace, name in some]
        keys.update(
            (secret, answer) for secret, request in zip(some, requests) if not isinstance(answer := _keys(request), str)
        )
    hidden = dict.fromkeys(namespace for namespace, name in secrets if (namespace, name) not in keys)
    unseen = [Unseen("Secrets", f"you may not get secrets in namespace {each}") for each in hidden]
    found = [
        finding
        for each in wanted
        if (each.namespace, each.name) in keys
        for finding in secret_findings(each, keys[each.namespace, each.name])
    ]
    return found, unseen, len(keys)


def _keys(request: Request) -> frozenset[str] | str | None:
    """Return the names of the keys of a Secret; None if it does not exist, and a text if it cannot be read."""
    try:
        return frozenset(output_of(request.result()).split())
    except NotFoundError:
        return None
    except TransportError as error:
        return str(error)
