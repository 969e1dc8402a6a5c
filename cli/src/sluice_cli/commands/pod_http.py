"""Requests to the HTTP interface of a pod, through the API server."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import quote

from ..contract import contract
from ..model.fields import flag, text
from ..transport import Kubectl, NoAccessError, NotFoundError, TransportError
from .reading import finished

_SECONDS = 10.0
_FORWARDING = "Forwarding from 127.0.0.1:"


class PodUnreachableError(Exception):
    """The pod could not be asked. The text says why, and what permission or setting helps."""


def get_json_of_pod(kubectl: Kubectl, job: dict[str, Any], path: str) -> Any:
    """Return the JSON answer of the pod of a job to a GET request.

    A pod answers to everyone if its job is public, and to requests from its own loopback interface, as those of
    kubectl port-forward are.

    Raises:
        PodUnreachableError: the user may not reach the pod, or it does not answer.
    """
    namespace, name = text(job, "metadata", "namespace"), text(job, "metadata", "name") + contract()["podSuffix"]
    try:
        if flag(job, "spec", "http", "public"):
            body = _get_by_proxy(kubectl, namespace, name, path)
        else:
            body = _get_by_port_forward(kubectl, namespace, name, path)
        return json.loads(body)
    except ValueError as error:
        raise PodUnreachableError(f"the answer of the pod is not JSON: {error}") from error


def _get_by_proxy(kubectl: Kubectl, namespace: str, name: str, path: str) -> str:
    port = contract()["httpPort"]
    try:
        where = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(name)}:{port}/proxy{path}"
        return finished(kubectl.start_read(where))
    except NoAccessError as error:
        raise PodUnreachableError("you may not get pods/proxy") from error
    except NotFoundError as error:
        raise PodUnreachableError("the job has no pod") from error
    except TransportError as error:
        raise PodUnreachableError(f"the pod does not answer: {error}") from error


def _get_by_port_forward(kubectl: Kubectl, namespace: str, name: str, path: str) -> str:
    process = kubectl.open_process(
        "port-forward", f"--namespace={namespace}", "--address=127.0.0.1", f"pod/{name}", f":{contract()['httpPort']}"
    )
    timer = threading.Timer(_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line.startswith(_FORWARDING):
            process.kill()
            raise PodUnreachableError(_reason(process.communicate()[1]))
        return _get(int(line[len(_FORWARDING) :].partition(" ")[0]), path)
    finally:
        timer.cancel()
        process.kill()
        process.communicate()


def _get(port: int, path: str) -> str:
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415  it takes 20 ms, and few commands need it

    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        raise PodUnreachableError(f"the pod does not answer: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise PodUnreachableError(f"the pod answers with status {response.status}: {body.strip()}")
    return body


def _reason(errors: str) -> str:
    """Return why a port could not be forwarded."""
    if "portforward" in errors and "forbidden" in errors.lower():
        return "you may not create pods/portforward"
    if "forbidden" in errors.lower():
        return "you may not get pods"
    if "NotFound" in errors:
        return "the job has no pod"
    words = " ".join(errors.split()).replace("error: ", "", 1).rstrip(": ")
    return f"its port cannot be forwarded: {words or 'kubectl port-forward gave no reason'}"
