"""Requests to the HTTP interface of a pod, through kubectl port-forward."""

from __future__ import annotations

import json
import threading
from typing import Any

from ..contract import contract, pod_name
from ..model.fields import text
from ..text.printable import printable
from ..transport import Kubectl

_SECONDS = 10.0
_FORWARDING = "Forwarding from 127.0.0.1:"


class PodUnreachableError(Exception):
    """The pod could not be asked. The text says why, and what permission or setting helps."""


def get_json_of_pod(kubectl: Kubectl, job: dict[str, Any], path: str) -> Any:
    """Return the JSON answer of the pod of a job to a GET request.

    The request goes through kubectl port-forward to the pod's loopback interface, where it needs no token.

    Raises:
        PodUnreachableError: the user may not reach the pod, or it does not answer.
    """
    namespace, name = text(job, "metadata", "namespace"), pod_name(text(job, "metadata", "name"))
    try:
        return json.loads(_get_by_port_forward(kubectl, namespace, name, path))
    except ValueError as error:
        raise PodUnreachableError(f"the answer of the pod is not JSON: {error}") from error


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
        raise PodUnreachableError(f"the pod answers with status {response.status}: {_error_of_body(body)}")
    return body


def _error_of_body(body: str) -> str:
    """Return the sentence of an error of the pod."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    return text(found, "error") or printable(body)


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
