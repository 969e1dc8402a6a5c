"""The HTTP requests that change something: authorized operation of the pod's own switch."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec
from aiohttp import web

from sluice_contract.decoding_errors import explain_decoding_error

from ...domain.pause import AUTO_STOP
from ...ports import Controls, RequestRefusedError, StartRequest
from ...view_ports import RuntimeView
from ..decoding import decode_json
from .bearer_token import RequestCheck
from .status import status_body

_log = logging.getLogger(__name__)

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.Response]]
_OF_AUTO_STOP = (
    "autoStop: change its limits, or pause the job itself; a standalone runtime also resumes when it is restarted"
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class _StopRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str | None = None


def refusal_unless_local(request: web.Request) -> str | None:
    """Return None for a request from a program on this machine, otherwise why the request is refused.

    Requests from web pages in this machine's browser are refused too, whatever host name the page uses.
    """
    host = (request.host or "").rsplit(":", 1)[0]
    if "Origin" in request.headers or host not in _LOOPBACK:
        return "only programs on this machine may change anything here, not a page in a browser"
    return None


def control_routes(controls: Controls, view: RuntimeView, check: RequestCheck) -> list[web.RouteDef]:
    """Return the routes POST /runtime/ingest/stop, start and reload. `check` returns why a request is refused."""

    async def stop(request: web.Request) -> web.Response:
        in_time = await controls.pause_job((await _decode_body(request, _StopRequest)).reason)
        if in_time:
            return web.Response(body=status_body(view.snapshot()), content_type="application/json")
        sentence = "the switch is off, but the stream has not acknowledged it yet; check the status"
        return error_response(504, sentence, _state(view))

    async def start(request: web.Request) -> web.Response:
        others = await controls.resume_job(await _decode_body(request, StartRequest))
        if not others:
            return web.Response(body=status_body(view.snapshot()), content_type="application/json")
        still = " and ".join(others)
        where = f" ({_OF_AUTO_STOP})" if AUTO_STOP in others else ""
        verb = "pause" if len(others) > 1 else "pauses"
        return error_response(
            409, f"the switch api is on, but {still} still {verb} the job; resume it there{where}", _state(view)
        )

    async def reload(_: web.Request) -> web.Response:
        report = await controls.reload()
        found = {"files": report.files, "effect": report.effect}
        if report.problems:
            return error_response(422, "; ".join((*report.problems, report.effect)), {**_state(view), "reload": found})
        return web.Response(body=status_body(view.snapshot(), reload=found), content_type="application/json")

    actions: list[tuple[str, Handler]] = [("stop", stop), ("start", start), ("reload", reload)]
    return [
        web.post(f"/runtime/ingest/{name}", _with_check_and_error_responses(action, check)) for name, action in actions
    ]


def _with_check_and_error_responses(action: Handler, check: RequestCheck) -> Handler:
    """Return a handler that refuses unauthorized requests, and answers an error of `action` in JSON."""

    async def handle(request: web.Request) -> web.Response:
        why = check(request)
        if why is not None:
            _log.warning("%s refused: %s", request.path, why, extra={"event_type": "http"})
            return error_response(403, why)
        _log.info("%s by %s", request.path, request.remote, extra={"event_type": "http"})
        try:
            return await action(request)
        except msgspec.MsgspecError as error:
            status, sentence = 400, f"{request.path} does not accept this body: {explain_decoding_error(error)}"
        except RequestRefusedError as error:
            status, sentence = 422, str(error)
        _log.warning("%s not carried out: %s", request.path, sentence, extra={"event_type": "http"})
        return error_response(status, sentence)

    return handle


async def _decode_body(request: web.Request, kind: type[T]) -> T:
    return decode_json(await request.read() or b"{}", kind)


def _state(view: RuntimeView) -> dict[str, object]:
    """Return the resulting state for an error response: that of the stream, and what pauses the job."""
    snapshot = view.snapshot()
    return {"state": snapshot.state, "pausedBy": list(snapshot.desired.switches)}


def error_response(status: int, sentence: str, more: Mapping[str, object] | None = None) -> web.Response:
    """Return an error response in the JSON form of all errors below /runtime. `more` are additional fields."""
    document = {"error": sentence, **(more or {})}
    return web.Response(status=status, body=msgspec.json.encode(document), content_type="application/json")
