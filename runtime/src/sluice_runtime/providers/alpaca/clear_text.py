"""Servers that get the key pair of Alpaca without encryption."""

from __future__ import annotations

import msgspec

from sluice_contract.alpaca import AlpacaSettings
from sluice_contract.provider_urls import server_of_url

from .endpoints import RestEndpoints

_CLEAR_SCHEMES = ("ws:", "http:")


def clear_text_warning(alpaca: AlpacaSettings, endpoints: RestEndpoints) -> str | None:
    """Return a sentence that names the servers beyond this machine which get the key pair without TLS; None if none."""
    used = msgspec.structs.replace(alpaca, data_url=endpoints.data_url, trading_url=endpoints.trading_url)
    servers = [_clear_text_server(each.url) for each in used.credentials_urls()]
    names = dict.fromkeys(name for name in servers if name is not None)
    if not names:
        return None
    return (
        f"the key pair is sent without encryption to {', '.join(names)}, and everyone on the way can read it; use a "
        f"URL with wss:// or https://"
    )


def _clear_text_server(url: str) -> str | None:
    """Return the server of a URL without TLS; None if the connection has TLS or stays on this machine."""
    server = server_of_url(url)
    if server is None:
        return "a server" if url.lower().startswith(_CLEAR_SCHEMES) else None
    return None if server.is_encrypted or server.is_this_machine else server.address
