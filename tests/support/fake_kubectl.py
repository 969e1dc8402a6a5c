"""kubectl for the plugin's unit tests: a cluster in memory that answers as the API server does."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sluice_cli.commands.context import Context
from sluice_cli.text.terminal import Terminal
from sluice_cli.transport import Kubectl, Request, Result
from support.fake_apply import dry_run, parse_documents, read_files

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
PLURALS = {
    "IngestJob": "ingestjobs",
    "IngestPause": "ingestpauses",
    "ClusterIngestPause": "clusteringestpauses",
    "IngestPolicy": "ingestpolicies",
    "Pod": "pods",
    "Event": "events",
}
KINDS = {plural: kind for kind, plural in PLURALS.items()}
LEASE = "leases"
Object = dict[str, Any]


def stamp(seconds: float = 0.0) -> str:
    """Return the instant `seconds` after NOW as the API server writes it."""
    return f"{NOW + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%fZ}"


def condition(kind: str, status: str, reason: str, message: str = "") -> Object:
    """Return a condition that has this status since a minute before NOW."""
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp(-60)}


def job(name: str = "us-equities", namespace: str = "acme", *conditions: Object, **stream: Any) -> Object:
    """Return a job with three symbols that streams; `conditions` and fields of `stream` replace the usual ones."""
    usual = {
        "observedGeneration": 1,
        "state": "Live",
        "heartbeat": {"at": stamp(-4), "lastQuoteReceivedAt": stamp(-1)},
        "symbols": {"live": "3/3", "desired": 3, "confirmed": 3, "rejected": 0},
        "freshness": {"live": 2, "quiet": 1, "stale": 0},
        "sink": {"healthy": True, "lastWriteAt": stamp(-1)},
        "history": [{"at": stamp(-8040), "state": "Live"}],
        "feed": "alpaca:iex",
    }
    return {
        "kind": "IngestJob",
        "metadata": {"namespace": namespace, "name": name, "generation": 1, "labels": {"desk": name}},
        "spec": {
            "tenant": namespace,
            "provider": "alpaca",
            "alpaca": {"feed": "iex"},
            "symbols": ["SPY", "AAPL", "ON"],
            "enabled": True,
            "limits": {"writesPerSecond": 20},
        },
        "status": {
            "phase": "Running",
            "epoch": 7,
            "podName": f"{name}-ingest",
            "conditions": list(conditions) or [condition("Ready", "True", "Streaming", "3/3 symbols.")],
            "stream": {**usual, **stream},
        },
    }


def pause(name: str = "incident", namespace: str = "acme", **spec: Any) -> Object:
    """Return an IngestPause, or a ClusterIngestPause if `namespace` is empty."""
    return {
        "kind": "IngestPause" if namespace else "ClusterIngestPause",
        "metadata": {"name": name, "generation": 1} | ({"namespace": namespace} if namespace else {}),
        "spec": {"reason": "vendor incident", **spec},
    }


def paused_job(*sources: str, name: str = "us-equities", namespace: str = "acme", by: str = "alice") -> Object:
    """Return a job whose pod has acknowledged a pause by these switches 22 minutes before NOW."""
    reported = [{"source": each, "reason": "vendor incident", "by": by} for each in sources]
    held = {"source": sources[0], "sources": reported, "acknowledgedAt": stamp(-1320), "socketClosedAt": stamp(-1320)}
    ready = condition("Ready", "True", "Paused", "Paused.")
    found = job(name, namespace, ready, condition("Paused", "True", "Paused", "Paused."), state="Paused", pause=held)
    found["status"]["phase"] = "Paused"
    return found


class FakeRequest(Request):
    """A request that is answered at once."""

    def __init__(self, result: Result) -> None:
        self._answer = result
        self.is_discarded = False

    def result(self) -> Result:
        return self._answer

    def result_within(self, seconds: float) -> Result:
        return self._answer

    def raw_errors(self) -> str:
        return self._answer.errors

    def discard(self) -> None:
        self.is_discarded = True


class FakeKubectl(Kubectl):
    """Answers from `objects`. `on_change` is called after each creation, deletion and patch."""

    def __init__(self, *objects: Object, denied: tuple[str, ...] = (), unserved: tuple[str, ...] = ()) -> None:
        """`denied` has verbs and resources such as `list ingestpauses`, `unserved` has kinds without a CRD."""
        super().__init__()
        self.objects = list(objects)
        self.denied = denied
        self.unserved = unserved
        self.namespace = "acme"
        self.user = "alice"
        self.on_change: Callable[[FakeKubectl], None] = lambda _: None
        # Answers by URL path, and the keys of Secrets by their names.
        self.answers: dict[str, Object] = {}
        self.secrets: dict[str, list[str]] = {}
        self.logs: dict[str, str] = {}  # by the name of the pod
        self.commands: list[tuple[str, ...]] = []
        self.requests: list[FakeRequest] = []
        self.refusals: dict[str, str] = {}

    def of_kind(self, kind: str) -> list[Object]:
        """Return the objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def start(self, *arguments: str, text: str | None = None) -> Request:
        self.commands.append(arguments)
        request = FakeRequest(self._answer(arguments[0], list(arguments[1:]), text or ""))
        self.requests.append(request)
        return request

    def _answer(self, verb: str, words: list[str], text: str) -> Result:
        if words[:1] == ["--raw"]:
            path = words[1].partition("?")[0]
            if path.endswith("/log"):
                return self._log(path.split("/")[-2])
            if path in self.answers:
                return self._given_answer(path)
            return self._raw(verb, path, json.loads(text) if text else {})
        answers = {
            "get": lambda: self._secret(words[1]) if words[0] == "secret" else self._get(words),
            "patch": lambda: self._patch(words),
            "annotate": lambda: read_files(words),
            "apply": lambda: self._apply(parse_documents(text)),
        }
        return answers.get(verb, lambda: Result(0, self.namespace, ""))()

    def _apply(self, documents: list[Object]) -> Result:
        """Answer a dry run: `refusals` has the messages about documents, by their names."""
        refused = [self.refusals[name] for each in documents if (name := each["metadata"]["name"]) in self.refusals]
        return Result(1, "", "\n".join(refused)) if refused else dry_run(documents, self.of_kind("IngestJob"))

    def _get(self, arguments: list[str]) -> Result:
        kinds = [KINDS[each.partition(".")[0]] for each in arguments[0].split(",")]
        if set(kinds) & set(self.unserved):
            return Result(1, "", f'error: the server doesn\'t have a resource type "{PLURALS[self.unserved[0]]}"')
        namespace = "" if "-A" in arguments else arguments[arguments.index("-n") + 1] if "-n" in arguments else "acme"
        readable = [kind for kind in kinds if f"list {PLURALS[kind]}" not in self.denied]
        errors = "\n".join(_forbidden(f"list {PLURALS[kind]}") for kind in kinds if kind not in readable)
        if "name" in arguments:
            return Result(0, "\n".join(f"job/{each['metadata']['name']}" for each in self.of_kind(kinds[0])), "")
        found = [each for each in self.objects if each["kind"] in readable and _is_in(each, namespace)]
        return Result(1 if errors else 0, json.dumps({"items": found}), errors)

    def _log(self, pod: str) -> Result:
        missing = Result(1, "", f'Error from server (NotFound): pods "{pod}" not found')
        return Result(0, self.logs[pod], "") if pod in self.logs else missing

    def _given_answer(self, path: str) -> Result:
        if f"get {path}" in self.denied:
            return Result(1, "", _forbidden(f"get {path}"))
        return Result(0, json.dumps(self.answers[path]), "")

    def _secret(self, name: str) -> Result:
        if "get secrets" in self.denied:
            return Result(1, "", _forbidden("get secrets"))
        if name not in self.secrets:
            return Result(1, "", f'Error from server (NotFound): secrets "{name}" not found')
        return Result(0, "\n".join(self.secrets[name]), "")

    def _raw(self, verb: str, path: str, body: Object) -> Result:
        parts = path.strip("/").split("/")
        namespace = parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-2] else ""
        if parts[-1] == "selfsubjectreviews":
            return Result(0, json.dumps({"status": {"userInfo": {"username": self.user}}}), "")
        is_list = parts[-1] in KINDS
        plural = parts[-1] if is_list or verb == "create" else parts[-2:][0]
        asked = "list" if verb == "get" and is_list else verb
        if f"{asked} {plural}" in self.denied or (is_list and not namespace and f"{asked} all {plural}" in self.denied):
            return Result(1, "", _forbidden(f"{asked} {plural}"))
        if KINDS.get(plural) in self.unserved:
            return Result(1, "", "Error from server (NotFound): the server could not find the requested resource")
        if verb == "create":
            return self._create(namespace, body)
        if is_list:
            found = [each for each in self.of_kind(KINDS[plural]) if _is_in(each, namespace)]
            return Result(0, json.dumps({"items": found}), "")
        return self._one(verb, plural, namespace, parts[-1])

    def _one(self, verb: str, plural: str, namespace: str, name: str) -> Result:
        named = [each for each in self.objects if _is_named(each, plural, namespace, name)]
        if not named:
            return Result(1, "", f'Error from server (NotFound): {plural} "{name}" not found')
        if verb == "delete":
            self.objects.remove(named[0])
            self.on_change(self)
        return Result(0, json.dumps(named[0]), "")

    def _create(self, namespace: str, body: Object) -> Result:
        if "metadata" not in body:  # a review of rights without an answer
            return Result(1, "", _forbidden("create selfsubjectrulesreviews"))
        stored = copy.deepcopy(body)
        stored["metadata"] |= {"name": body["metadata"]["generateName"] + "x7k2p", "generation": 1}
        stored["metadata"] |= {"creationTimestamp": stamp()} | ({"namespace": namespace} if namespace else {})
        self.objects.append(stored)
        self.on_change(self)
        return Result(0, json.dumps(stored), "")

    def _patch(self, arguments: list[str]) -> Result:
        found = next(each for each in self.of_kind("IngestJob") if each["metadata"]["name"] == arguments[1])
        found["spec"] |= json.loads(arguments[-1])["spec"]
        self.on_change(self)
        return Result(0, "patched", "")


def _forbidden(what: str) -> str:
    verb, plural = what.split()
    return f'Error from server (Forbidden): {plural}.sluice.dev is forbidden: User "alice" cannot {verb} them'


def _is_in(each: Object, namespace: str) -> bool:
    return not namespace or each["metadata"].get("namespace", namespace) == namespace


def _is_named(each: Object, plural: str, namespace: str, name: str) -> bool:
    kind = PLURALS.get(each["kind"], f"{each['kind'].lower()}s")
    named = kind == plural and each["metadata"]["name"] == name
    return named and each["metadata"].get("namespace", "") == namespace


def acknowledge(kubectl: FakeKubectl) -> None:
    """Let the pods obey: a job that a pause names is paused, every other one streams."""
    pauses = [each for each in kubectl.objects if "Pause" in each["kind"]]
    for number, each in enumerate(kubectl.objects):
        if each["kind"] != "IngestJob":
            continue
        name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
        held = [one for one in pauses if name in one["spec"].get("jobs", [name]) and not one["spec"].get("symbols")]
        sources = [("clusterpause:" if one["kind"][0] == "C" else "pause:") + one["metadata"]["name"] for one in held]
        if each["spec"].get("pause"):
            sources.append("spec.pause")
        new = paused_job(*sources, name=name, namespace=namespace) if sources else job(name, namespace)
        symbols = [symbol for one in pauses for symbol in one["spec"].get("symbols", ())]
        new["status"]["stream"]["symbols"]["pausedSymbols"] = symbols
        if sources:
            new["status"]["stream"]["pause"] |= {"acknowledgedAt": stamp(0.04), "socketClosedAt": stamp(0.03)}
        kubectl.objects[number] = new | {"spec": each["spec"], "metadata": each["metadata"]}


class Console:
    """A context whose output is kept, and whose clock advances only by sleeping."""

    def __init__(self, kubectl: Kubectl, typed: str = "", terminal: Terminal | None = None) -> None:
        self._now = NOW
        self._output, self._errors = io.StringIO(), io.StringIO()
        self.context = Context(
            kubectl, terminal or Terminal(), self._output, self._errors, io.StringIO(typed), {}, self._read, self._sleep
        )

    @property
    def lines(self) -> list[str]:
        """The lines of the output."""
        return self._output.getvalue().splitlines()

    @property
    def errors(self) -> str:
        """The text of the errors."""
        return self._errors.getvalue()

    def _read(self) -> datetime:
        self._now += timedelta(milliseconds=100)
        return self._now

    def _sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
