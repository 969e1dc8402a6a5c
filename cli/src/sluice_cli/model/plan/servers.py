"""The servers that a job connects to, as policies compare them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...contract import contract
from ..fields import child, text

# Only what every client library reads in the same way; the operator compares the same form.
_URL = re.compile(
    r"(?P<scheme>wss?|https?)://(?:[A-Za-z0-9._~!$&'()*+,;=:%-]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?:[/?#][!-~]*)?"
)
# A name that starts with a letter is never an address.
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DEFAULT_PORT = 443


class Server(NamedTuple):
    """A server of a job: the field that names it, and its host in its normal form; empty if it is malformed."""

    field: str
    host: str
    written_host: str
    is_gateway: bool


def servers_of_job(spec: dict[str, Any]) -> Iterator[Server]:
    """Yield each server that gets the credentials of the job, and its gateway."""
    provider = text(spec, "provider")
    known = child(contract(), "providers", provider)
    if child(spec, provider, "credentialsSecretRef"):
        urls = known.get("urls") or []
        has_own_server = bool(urls) and bool(_value(spec, urls[0]["field"]))
        seen = set()
        for each in urls:
            written = _value(spec, each["field"])
            if written and each["field"] not in seen:
                seen.add(each["field"])
                yield Server(each["field"], host_of_url(written), written, is_gateway=False)
            elif not written and not has_own_server:
                yield Server(each["field"], host_of_url(each["url"]), each["url"], is_gateway=False)
    gateway = known.get("gateway") or ""
    if gateway and _value(spec, gateway):
        host = _value(spec, gateway)
        yield Server(gateway, normal_host(host), host, is_gateway=True)


def _value(spec: dict[str, Any], field: str) -> str:
    """Return the text of a field such as `spec.alpaca.streamURL`; empty if it is absent."""
    return text(spec, *field.split(".")[1:])


def host_of_url(url: str) -> str:
    """Return the host of a URL; empty if client libraries may read it differently."""
    found = _URL.fullmatch(url)
    if found is None or not 1 <= int(found["port"] or _DEFAULT_PORT) <= 65_535:
        return ""
    return normal_host(found["host"])


def normal_host(host: str) -> str:
    """Return a host in lower case, without brackets and without a dot at its end; empty if it is malformed."""
    if host.startswith("[") or ":" in host:
        inner = host[1:] if host.startswith("[") else host
        inner = inner[:-1] if inner.endswith("]") else inner
        try:
            return ipaddress.IPv6Address(inner).compressed
        except ValueError:
            return ""
    name = host.lower()
    name = name[:-1] if name.endswith(".") else name
    return name if all(name.split(".")) else ""


def is_host_of_namespace(host: str, namespace: str) -> bool:
    """Return whether a host is a name of the cluster's DNS in this namespace."""
    name = host.lower()
    if not _NAME.fullmatch(name):
        return False
    short = name[: -len(".cluster.local")] if name.endswith(".cluster.local") else name
    if short.endswith(f".{namespace}.svc"):
        return True
    return name.partition(".")[2] in ("", namespace)
