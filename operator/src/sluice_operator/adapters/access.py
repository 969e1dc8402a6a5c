"""Access to the API server: its address and the credentials, from the official client."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import InClusterConfigLoader
from kubernetes.aio.config.kube_config import KubeConfigLoader, load_kube_config

from sluice_contract.redirects import refuse_redirects

from . import tcp
from .buffered_responses import BufferedResponse

log = logging.getLogger(__name__)

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CONNECTIONS: Final = 32
READ_BUFFER_BYTES: Final = 2**21  # as in the client's own pool, because a page of a LIST is large
RELOAD_SECONDS: Final = 60.0  # as often as the client itself rereads the token of a service account


class AccessError(Exception):
    """The environment has no usable configuration of a client: no valid kubeconfig and no service account."""


async def create_client(environment: Mapping[str, str]) -> ApiClient:
    """Return a client of the API server, from the file in `KUBECONFIG` or else from the pod's service account.

    Raises:
        AccessError: the kubeconfig is not valid, or there is no service account.
    """
    if path := environment.get("KUBECONFIG"):
        return await create_kubeconfig_client(Path(path))
    return create_in_cluster_client(environment, SERVICE_ACCOUNT)


def create_in_cluster_client(environment: Mapping[str, str], directory: Path) -> ApiClient:
    """Return a client that uses the service account of the pod and rereads its token."""
    found = Configuration()
    try:
        loader = InClusterConfigLoader(  # type: ignore[no-untyped-call]
            str(directory / "token"), str(directory / "ca.crt"), environ=environment
        )
        loader.load_and_set(found)  # type: ignore[no-untyped-call]
        return ApiClient(found)
    except (ConfigException, OSError) as error:
        raise AccessError(
            f"KUBECONFIG is not set, and no service account is mounted; set KUBECONFIG or run in a pod: {error}"
        ) from error


async def create_kubeconfig_client(path: Path) -> ApiClient:
    """Return a client for the current context of a kubeconfig, with any kind of credentials."""
    found = Configuration()
    try:
        loader = await load_kube_config(str(path), client_configuration=found, persist_config=False)  # type: ignore[no-untyped-call]
        vars(found)["refresh_api_key_hook"] = _token_reload_hook(loader, time.monotonic)  # which is typed as None only
        return ApiClient(found)
    except (ConfigException, OSError, AttributeError, TypeError, ValueError) as error:
        raise AccessError(f"{path} is not a kubeconfig with a current context; correct KUBECONFIG: {error}") from error


def create_separate_client(client: ApiClient) -> ApiClient:
    """Return a client with the same configuration but its own connections, so that it does not wait for the other."""
    return ApiClient(client.configuration)


def connection_pool(client: ApiClient) -> aiohttp.ClientSession:
    """Return the connection pool of the client, which is created with the first call. It is closed with the client.

    The client's own pool would lack TCP keepalive. This pool uses the proxy of a kubeconfig but ignores proxies from
    the environment and a .netrc: looking these up before each request takes four times as long as the request.
    """
    rest, configuration = client.rest_client, client.configuration
    if rest.pool_manager is None:
        rest.pool_manager = aiohttp.ClientSession(
            connector=tcp.create_connector(rest.ssl_context, CONNECTIONS),
            trust_env=False,
            response_class=BufferedResponse,
            read_bufsize=READ_BUFFER_BYTES,
            middlewares=(refuse_redirects,),
            headers=client.default_headers,
            proxy=configuration.proxy,
        )
    return rest.pool_manager


async def authorization_headers(client: ApiClient) -> dict[str, str]:
    """Return the headers with the client's credentials; none if it has a certificate.

    A token that has changed is read again. Raises what the credentials of a kubeconfig raise if they cannot be read,
    mostly `ConfigException` or `OSError`.
    """
    settings = await client.configuration.auth_settings()
    return {str(setting["key"]): str(setting["value"]) for setting in settings.values()}


class WriteInReadOnlySession(Exception):  # noqa: N818
    """A read-only session was asked to send a request other than GET. Neither aiohttp nor kopf retries after it."""


class ReadOnlyMiddleware:
    """An aiohttp middleware that sends GET requests and refuses all others with an exception that is not retried."""

    def __init__(self, on_refusal: Callable[[], object]) -> None:
        """`on_refusal` is called for each refused request. Only the first refusal is logged."""
        self._on_refusal = on_refusal
        self._is_logged = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Raise `WriteInReadOnlySession` unless the request is a GET."""
        if request.method == "GET":
            return await handler(request)
        self._on_refusal()
        attempt = f"{request.method} {request.url.path}"
        if not self._is_logged:
            self._is_logged = True
            log.error("a read-only session refused a write; report this as a bug", extra={"request": attempt})
        raise WriteInReadOnlySession(attempt)


def create_read_only_session(
    client: ApiClient,
    read_only: ReadOnlyMiddleware,
    connections: int,
    response_class: type[aiohttp.ClientResponse] = aiohttp.ClientResponse,
    middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = (),
) -> aiohttp.ClientSession:
    """Return an aiohttp session with the client's credentials that sends only GET requests.

    `middlewares` see each request before the session's own do.
    """

    async def identify(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        request.headers.update(await authorization_headers(client))
        return await handler(request)

    connector = tcp.create_connector(client.rest_client.ssl_context, connections)
    return aiohttp.ClientSession(
        connector=connector,
        middlewares=(*middlewares, refuse_redirects, read_only, identify),
        proxy=client.configuration.proxy,
        response_class=response_class,
    )


def _token_reload_hook(
    loader: KubeConfigLoader, clock: Callable[[], float]
) -> Callable[[Configuration], Awaitable[None]]:
    """Return a hook that rereads a kubeconfig's token once a minute. An exec plugin's token stays until it expires."""
    loaded_at = clock()

    async def reload(configuration: Configuration) -> None:
        nonlocal loaded_at
        if clock() - loaded_at >= RELOAD_SECONDS:
            loaded_at = clock()
            await loader.load_and_set(configuration)  # type: ignore[no-untyped-call]

    return reload
