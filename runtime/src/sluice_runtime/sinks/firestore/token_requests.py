"""HTTP requests for the tokens of a service account key, with urllib3: the package requests would take 4 MiB more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from google.auth import transport
from google.auth.exceptions import TransportError

from sluice_contract.redirects import is_redirect, redirect_text

from ...adapters.error_text import redact_url
from ...adapters.http_proxies import proxy_authorization_header, proxy_for_url

_GOOGLE_DOMAINS = (".googleapis.com", ".google.com")
_METADATA_HEADER = "Metadata-Flavor"  # Google's packages set it in requests for the metadata server only
_FIRST_ERROR_STATUS = 400
_SECONDS = 15.0


class TokenResponse(transport.Response):
    """A response of a server that issues tokens."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The HTTP headers."""
        return self._response.headers

    @property
    def data(self) -> bytes:
        """The body."""
        return self._response.data


class TokenRequest(transport.Request):
    """Sends requests through the proxy that `proxy_for_url` names, and follows no redirect.

    It trusts the certificates of the system, or of SSL_CERT_FILE. Each request has a connection of its own: a token is
    valid for an hour.
    """

    def __call__(self, *arguments: Any, **options: Any) -> TokenResponse:
        """Send a request as google.auth calls it, with the parameters of `send`."""
        return self.send(*arguments, **options)

    def send(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> TokenResponse:
        """Send a request and return the response. The time limit is 15 s unless `timeout`, in seconds, is given.

        Raises:
            TransportError: there is no response, or a redirect, or an error of a server that is not Google's.
            UnusableVariableError: the environment names a proxy that cannot be used.
        """
        with _pool_for_url(url) as pool:
            try:
                response = pool.request(
                    method, url, body=body, headers=headers, timeout=timeout or _SECONDS, redirect=False, retries=False
                )
            except urllib3.exceptions.HTTPError as error:
                raise TransportError(error) from error
        if refusal := refusal_of_response(response.status, url, headers or {}):
            raise TransportError(refusal)
        return TokenResponse(response)


def refusal_of_response(status: int, url: str, request_headers: Mapping[str, Any]) -> str | None:
    """Return a sentence instead of a response that must not be used or quoted; None for all other responses.

    The file of a key names the server that issues its tokens (`token_uri`), and Google's packages quote the answer. An
    error text is quoted only if it is Google's.
    """
    if is_redirect(status):
        return f"{redact_url(url)} {redirect_text(status)}"
    is_google = (urlsplit(url).hostname or "").endswith(_GOOGLE_DOMAINS) or _METADATA_HEADER in request_headers
    if status >= _FIRST_ERROR_STATUS and not is_google:
        return f"{redact_url(url)} answered HTTP {status}; check token_uri in the key"
    return None


def _pool_for_url(url: str) -> urllib3.PoolManager:
    proxy = proxy_for_url(url)
    if proxy is None:
        return urllib3.PoolManager()
    return urllib3.ProxyManager(proxy.address, proxy_headers=proxy_authorization_header(proxy))
