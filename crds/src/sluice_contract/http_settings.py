"""Settings of a pod's HTTP interface."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import CamelStruct
from .values import SecretReference


class HTTPSettings(CamelStruct, frozen=True):
    """Settings of the pod's HTTP interface."""

    token_secret_ref: Annotated[
        SecretReference | None,
        Meta(
            description="The Secret whose key token holds the bearer token for all requests below /runtime. Absent: "
            "POST requests are refused."
        ),
    ] = None
    public: Annotated[
        bool,
        Meta(
            description="true: every client that reaches the pod may send GET requests below /runtime, which show the "
            "job's symbols and their quotes. Default: false, only clients with the token, and those in the pod "
            "itself, such as kubectl port-forward."
        ),
    ] = False
