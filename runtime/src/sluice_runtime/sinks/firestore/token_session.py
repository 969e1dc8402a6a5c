"""The HTTP session with which Google's packages request tokens."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from ...adapters.error_text import redact_url
from ...adapters.proxy_session import ProxySession

_GOOGLE_DOMAINS = (".googleapis.com", ".google.com")
_METADATA_HEADER = "Metadata-Flavor"  # Google's packages set it in requests for the metadata server only
_FIRST_ERROR_STATUS = 400


class TokenSession(ProxySession):
    """A session that passes on an error text of Google, and of other servers only the HTTP status.

    The file of a key names the server that issues its tokens (`token_uri`), and Google's packages quote the answer.
    """

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = super().send(request, **options)
        url = str(request.url)
        if response.status_code >= _FIRST_ERROR_STATUS and not _is_google(url, request.headers):
            raise requests.RequestException(
                f"{redact_url(url)} answered HTTP {response.status_code}; check token_uri in the key", request=request
            )
        return response


def _is_google(url: str, headers: Any) -> bool:
    return (urlsplit(url).hostname or "").endswith(_GOOGLE_DOMAINS) or _METADATA_HEADER in headers
