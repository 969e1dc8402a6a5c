"""A session of the library requests with Sluice's own choice of proxies, for libraries that use requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from sluice_contract.redirects import is_redirect, redirect_text

from .error_text import redact_url
from .http_proxies import proxy_for_url

# requests itself waits without a limit, also for a proxy that does not answer.
_SECONDS = 15.0


class RedirectError(requests.RequestException):
    """A server answered with a redirect. The message names the server and says what it did."""


class ProxySession(requests.Session):
    """A session that decides with `proxy_for_url`, where requests would read the environment in its own way.

    For example, requests would send the requests for Google's metadata server to HTTP_PROXY.
    """

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> dict[str, Any]:
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return {**settings, "proxies": _proxies(str(url))}

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request, with a time limit also where the caller sets none.

        Raises:
            RedirectError: the server answered with a redirect, which requests would follow.
        """
        response = super().send(request, **{**options, "timeout": options.get("timeout") or _SECONDS})
        if is_redirect(response.status_code):
            response.close()
            url = redact_url(str(request.url))
            raise RedirectError(f"{url} {redirect_text(response.status_code)}", request=request)
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return None, so that no redirect is followed, also if the caller of a request allows it."""
        return None


def _proxies(url: str) -> Mapping[str, str]:
    proxy = proxy_for_url(url)
    return {} if proxy is None else {"http": proxy.url_with_credentials, "https": proxy.url_with_credentials}
