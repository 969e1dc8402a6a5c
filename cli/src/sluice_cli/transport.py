"""kubectl as the transport: it brings every login method, the contexts, and `--as`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .contract import api_path, resource
from .process import SpawnedProcess

if TYPE_CHECKING:
    import subprocess

FIELD_MANAGER = "sluice"
REFUSED, UNREACHABLE = 1, 3  # exit codes

# Patterns of errors, compiled at their first use, not at the import. Of several errors, the first one.
_SERVER_ERROR = r"(?ms)^(?:E|error: e)rror from server(?: \((\w+)\))?: (.*?)(?=\nError from server|\Z)"
_NO_ACCESS = ("Forbidden", "Unauthorized")
_NOT_INSTALLED = "doesn't have a resource type"
_ADMISSION = r"denied (the )?request|exceeded quota"
_NOISE = r"(?m)^[EIW]\d{4} .*\n?"  # log lines of kubectl's libraries


class TransportError(Exception):
    """A request failed. The text has the words of kubectl, and `exit_code` is that of the command."""

    exit_code = UNREACHABLE


class NoAccessError(TransportError):
    """The API server does not permit the request."""


class RefusedError(TransportError):
    """The API server refuses the object of the request."""

    exit_code = REFUSED


class NotFoundError(RefusedError):
    """There is no such object."""


class NotServedError(RefusedError):
    """The API server does not serve the kind: its CRD is not installed."""


class Result(NamedTuple):
    """What a kubectl process wrote, and its exit status."""

    status: int
    output: str
    errors: str


class Listing(NamedTuple):
    """Objects by their kind, and the kinds that could not be listed, each with the reason."""

    objects: dict[str, list[dict[str, Any]]]
    unseen: dict[str, str]


class Request:
    """A kubectl process that runs."""

    def __init__(self, process: SpawnedProcess) -> None:
        self._process = process

    def result(self) -> Result:
        """Wait for the end of the process."""
        return _result_of(*self._process.result())

    def result_within(self, seconds: float) -> Result:
        """Wait for the end of the process; after `seconds`, end it, which is a failure."""
        return _result_of(*self._process.result(seconds))

    def raw_errors(self) -> str:
        """Wait for the end of the process. Return its standard error with the log lines of kubectl's libraries."""
        return self._process.result()[2]

    def discard(self) -> None:
        """End the process if nothing has waited for it."""
        self._process.discard()


def _result_of(status: int, output: str, errors: str) -> Result:
    return Result(status, output, re.sub(_NOISE, "", errors).strip() if errors else "")


def _cannot_be_started(error: OSError) -> TransportError:
    return TransportError(f"kubectl cannot be started: {error}. Install it, and put it on PATH.")


class Kubectl:
    """Starts kubectl with the options of the command line that choose the cluster and the user."""

    def __init__(self, options: Sequence[str] = (), program: str = "kubectl") -> None:
        """`options` are those of kubectl, such as `--context=NAME`."""
        self._options = list(options)
        self._program = program

    def start(self, *arguments: str, text: str | None = None) -> Request:
        """Start kubectl, with a text on its standard input. Raises TransportError if there is no such program."""
        try:
            return Request(SpawnedProcess(self.command(*arguments), text))
        except OSError as error:
            raise _cannot_be_started(error) from error

    def open_process(self, *arguments: str) -> subprocess.Popen[str]:
        """Start kubectl, for reading its output while it runs. Raises TransportError if there is no such program."""
        import subprocess  # noqa: PLC0415  it takes 5 ms, and few commands need it

        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                self.command(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise _cannot_be_started(error) from error

    def command(self, *arguments: str) -> list[str]:
        """Return the words of a command line of kubectl."""
        return [self._program, *self._options, *arguments]

    def run(self, *arguments: str, text: str | None = None) -> str:
        """Return the output of kubectl. Raises TransportError if it fails."""
        return output_of(self.start(*arguments, text=text).result())

    def start_list(self, kinds: Sequence[str], scope: Sequence[str]) -> ListRequest:
        """Start listing objects of several kinds in one process. `scope` is `-A`, `-n NAME`, or empty."""
        return ListRequest(self, kinds, scope)

    def start_read(self, path: str) -> Request:
        """Start reading one object by its URL path."""
        return self.start("get", "--raw", path)

    def start_verbose(self, path: str) -> Request:
        """Start reading by a URL path, with the headers of the answer on the standard error. kubectl masks tokens."""
        return self.start("get", "--raw", path, "-v=8")

    def create(self, kind: str, namespace: str, document: dict[str, Any]) -> dict[str, Any]:
        """Create an object and return it as stored. `namespace` is empty for a kind of the cluster.

        Raises:
            NotServedError: the CRD of the kind is not installed.
            NoAccessError, RefusedError, TransportError: another failure.
        """
        path = f"{api_path(kind, namespace)}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict"
        try:
            stored: dict[str, Any] = json.loads(self.run("create", "--raw", path, "-f", "-", text=json.dumps(document)))
        except NotFoundError as error:
            if "could not find the requested resource" in str(error):
                raise NotServedError(
                    f"This cluster does not serve the kind {kind}: apply the CRDs of Sluice."
                ) from error
            raise
        return stored

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object. Raises NotFoundError if it does not exist, or another TransportError."""
        self.run("delete", "--raw", api_path(kind, namespace, name))

    def current_namespace(self) -> str:
        """Return the namespace of the context; `default` if it names none."""
        return self.run("config", "view", "--minify", "-o", "jsonpath={..namespace}").strip() or "default"


class ListRequest:
    """A kubectl process that lists objects of several kinds."""

    def __init__(self, kubectl: Kubectl, kinds: Sequence[str], scope: Sequence[str]) -> None:
        """The first kind is the one that the command cannot do without."""
        self._kubectl = kubectl
        self._kinds = list(kinds)
        self._scope = list(scope)
        self._request = self._start(self._kinds)

    def listing(self) -> Listing:
        """Wait for the end of the process, and return what could be listed.

        Raises:
            TransportError: the first kind cannot be listed.
        """
        result = self._request.result()
        if result.status and _NOT_INSTALLED in result.errors:
            if len(self._kinds) == 1:
                raise NotServedError("Sluice is not installed in this cluster: it does not serve the kind IngestJob.")
            served = self._kinds[:1]
            listing = ListRequest(self._kubectl, served, self._scope).listing()
            missing = dict.fromkeys(self._kinds[1:], "this cluster does not serve the kind")
            return Listing({**listing.objects, **{kind: [] for kind in missing}}, missing)
        unseen = {
            kind: "you may not list them" for kind in self._kinds if f" {resource(kind)} is forbidden" in result.errors
        }
        if result.status and (self._kinds[0] in unseen or not unseen):
            output_of(result)
        objects: dict[str, list[dict[str, Any]]] = {kind: [] for kind in self._kinds}
        for each in json.loads(result.output).get("items") or []:
            objects.setdefault(each.get("kind"), []).append(each)
        return Listing(objects, unseen)

    def discard(self) -> None:
        """End the process if nothing has waited for it."""
        self._request.discard()

    def _start(self, kinds: Sequence[str]) -> Request:
        return self._kubectl.start("get", ",".join(map(resource, kinds)), "-o", "json", *self._scope)


def output_of(result: Result) -> str:
    """Return the output of a process that succeeded.

    Raises:
        NoAccessError, NotFoundError, RefusedError: the API server answered.
        TransportError: it did not.
    """
    if result.status == 0:
        return result.output
    raise _error_of(result.errors)


def _error_of(errors: str) -> TransportError:
    found = re.search(_SERVER_ERROR, errors)
    if found is None:
        return _unanswered(errors)
    reason, message = found[1], found[2].strip()
    if reason in _NO_ACCESS and not re.search(_ADMISSION, message):
        return NoAccessError(message)
    if reason == "NotFound":
        return NotFoundError(message)
    return RefusedError(message) if reason else TransportError(message)


def _unanswered(errors: str) -> TransportError:
    """Return the error of a request that the API server did not answer, or whose object it found invalid."""
    if errors.startswith("The ") and " is invalid: " in errors:
        return RefusedError(errors)
    if "must be logged in" in errors or "provide credentials" in errors:
        return NoAccessError(errors.replace("error: ", "", 1))
    return TransportError("kubectl: " + (errors.replace("error: ", "", 1) or "it failed without a message"))
