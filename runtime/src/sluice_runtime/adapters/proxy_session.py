"""A session of the library requests with Sluice's own choice of proxies, for Google's and Alpaca's libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from .http_proxies import proxy_for_url

# requests itself waits without a limit, also for a proxy that does not answer.
_SECONDS = 15.0


class ProxySession(requests.Session):
    """A session that decides with `proxy_for_url`, where requests would read the environment in its own way.

    For example, requests would send the requests for Google's metadata server to HTTP_PROXY.
    """

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> dict[str, Any]:
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return {**settings, "proxies": _proxies(str(url))}

    def rebuild_proxies(self, prepared_request: requests.PreparedRequest, proxies: Any) -> Any:
        """Return the proxies for the target of a redirect."""
        prepared_request.headers.pop("Proxy-Authorization", None)
        return _proxies(str(prepared_request.url))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request, with a time limit also where the caller sets none."""
        return super().send(request, **{**options, "timeout": options.get("timeout") or _SECONDS})


def _proxies(url: str) -> Mapping[str, str]:
    proxy = proxy_for_url(url)
    return {} if proxy is None else {"http": proxy.url_with_credentials, "https": proxy.url_with_credentials}
