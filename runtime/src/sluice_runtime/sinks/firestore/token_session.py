"""The HTTP session with which Google's packages request the tokens of all identities other than a key."""

from __future__ import annotations

from typing import Any

import requests

from ...adapters.proxy_session import ProxySession
from .token_requests import refusal_of_response


class TokenSession(ProxySession):
    """A session that passes on an error text of Google, and of other servers only the HTTP status."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = super().send(request, **options)
        if refusal := refusal_of_response(response.status_code, str(request.url), request.headers):
            raise requests.RequestException(refusal, request=request)
        return response
