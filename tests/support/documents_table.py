"""Documents and values, with the verdict that every reader gives on them.

The readers are the API server, a standalone runtime (`run -f`), the environment of a standalone runtime, and the chart.
A refusal names the field. The few verdicts that differ are stated, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADER = "apiVersion: sluice.dev/v1alpha1\nkind: IngestJob\nmetadata: {name: standalone, namespace: acme}\n"
_SYNTHETIC = "spec:\n  tenant: acme\n  provider: synthetic\n"
_ACCEPTED = ""
LONG = "a" * 300


@dataclass(frozen=True)
class DocumentCase:
    """A YAML document. `field` is the field that a refusal names; empty if the document is accepted.

    `standalone_says` is a part of the sentence of the standalone runtime. `standalone_differs` says why its verdict is
    the opposite of the API server's; empty if it is the same.
    """

    text: str
    field: str = _ACCEPTED
    standalone_says: str = ""
    standalone_differs: str = ""

    @property
    def document(self) -> str:
        if self.text.startswith(("apiVersion", "kind", "metadata", "spec:", "{", "- ", "---", "#", "%")):
            return self.text
        symbols = "" if self.text.startswith("symbols:") else "  symbols: [SPY]\n"
        return HEADER + _SYNTHETIC + symbols + "".join(f"  {line}\n" for line in self.text.split("\n"))


DOCUMENTS: list[DocumentCase] = [
    # Booleans of YAML
    DocumentCase("symbols: [ON]", "spec.symbols[0]", 'YAML reads ON as a boolean; write "ON"'),
    DocumentCase("symbols: [SPY, NO]", "spec.symbols[1]", 'YAML reads NO as a boolean; write "NO"'),
    DocumentCase("symbols: [OFF]", "spec.symbols[0]", 'YAML reads OFF as a boolean; write "OFF"'),
    DocumentCase("symbols: [YES]", "spec.symbols[0]", 'YAML reads YES as a boolean; write "YES"'),
    DocumentCase("symbols: [Y]", "spec.symbols[0]", 'YAML reads Y as a boolean; write "Y"'),
    DocumentCase("symbols: [N]", "spec.symbols[0]", 'YAML reads N as a boolean; write "N"'),
    DocumentCase("symbols: [TRUE]", "spec.symbols[0]", 'YAML reads TRUE as a boolean; write "TRUE"'),
    DocumentCase("symbols: [ON, YES]", "spec.symbols[0]", 'YAML reads YES as a boolean; write "YES"'),
    DocumentCase("symbols:\n- Y", "spec.symbols[0]", 'write "Y"'),
    DocumentCase('symbols: ["ON", "NO", \'Y\', !!str N]'),
    DocumentCase("pausedSymbols: [{symbol: ON}]", "spec.pausedSymbols[0].symbol", 'write "ON"'),
    DocumentCase("pause: {reason: no}", "spec.pause.reason", 'YAML reads no as a boolean; write "no"'),
    *(DocumentCase(f"enabled: {text}") for text in ("yes", "no", "on", "Off", "y", "N", "TRUE", "false")),
    *(DocumentCase(f"enabled: {text}", "spec.enabled") for text in ("oN", '"yes"', "1", "0", "enabled", '"true"',
    "[]")),
    # Other scalars
    DocumentCase("symbols: [NULL]", "spec.symbols[0]", 'YAML reads NULL as null; write "NULL"'),
    DocumentCase("symbols: [2026-11-28]", "spec.symbols[0]"),
    DocumentCase("symbols: [123]", "spec.symbols[0]", 'YAML reads 123 as a number; write "123"'),
    DocumentCase("symbols: [1e3]", "spec.symbols[0]", 'YAML reads 1e3 as a number; write "1e3"'),
    *(DocumentCase(f"pause: {{reason: {text}}}") for text in ("2026-11-28", "1:30", "2026-11-28T10:00:00Z", "=",
    "a#b")),
    DocumentCase("pause: {reason: 1e3}", "spec.pause.reason", 'write "1e3"'),
    DocumentCase("pause: {reason: 010}", "spec.pause.reason", 'write "010"'),
    DocumentCase("pause: {reason: 1_000}", "spec.pause.reason", 'write "1_000"'),
    DocumentCase("pause: {reason: 1.5}", "spec.pause.reason", 'write "1.5"'),
    DocumentCase("pause: {until: 2026-11-28T10:00:00Z}"),
    DocumentCase("pause: {until: 2026-11-28T10:00:00.5+01:00}"),
    *(
        DocumentCase(f"pause: {{until: {text}}}", "spec.pause.until", "write one like 2026-11-23T14:00:00Z")
        for text in ("2026-11-28", "2026-02-30T00:00:00Z", "2026-11-28 10:00:00", "tomorrow",
        '"2026-11-28T10:00:00Z\\n"')
    ),
    DocumentCase("pause: {until: 1795860000}", "spec.pause.until", 'write "1795860000"'),
    *(DocumentCase(f"limits: {{burst: {text}}}") for text in ("010", "0o10", "0x1F", "0b11", "1e2", "40.0", "+7",
    "1_0")),
    *(
        DocumentCase(f"limits: {{burst: {text}}}", "spec.limits.burst")
        for text in ("1:30", "40.5", "0", "1e4", '"40"', "forty", "[40]", "{a: 1}", "0o9", "99999999999999999999")
    ),
    DocumentCase("limits: {burst: .inf}", "json: unsupported value: +Inf", "a number that is not finite"),
    DocumentCase("limits: {burst: .nan}", "json: unsupported value: NaN", "a number that is not finite"),
    DocumentCase("pod: {resources: {limits: {cpu: 1}}}", "spec.pod.resources.limits.cpu", 'write "1"'),
    DocumentCase("pod: {labels: {desk: on}}", "spec.pod.labels.desk", 'YAML reads on as a boolean; write "on"'),
    DocumentCase("pod: {labels: {on: desk}}"),
    # Nulls
    *(
        DocumentCase(f"{text}: null")
        for text in ("enabled", "pause", "dryRun", "limits", "firestore", "alpaca", "pod", "channels", "sessions")
    ),
    *(
        DocumentCase(text)
        for text in (
            "limits: {burst: ~}", "firestore: {projectID: }", "firestore: {database: null}", "pod: {labels: {a: null}}",
            "pod: {resources: {limits: {memory: null}}}", "pausedSymbols: null", "pause: {reason: null, until: null}",
            "pod: {env: null}", "autoStop: {afterSeconds: null}",
        )
    ),
    DocumentCase("symbols: null", "spec.symbols", "spec.symbols is missing"),
    DocumentCase("symbols:", "spec.symbols", "spec.symbols is missing"),
    DocumentCase("symbols: [SPY, null]", "spec.symbols[1]"),
    DocumentCase("symbols: [SPY, ]\npausedSymbols: [null]", "spec.pausedSymbols[0]"),
    DocumentCase("pausedSymbols: [{symbol: null}]", "spec.pausedSymbols[0].symbol", "symbol is missing"),
    DocumentCase("nothing: null", "spec.nothing", "remove it"),
    # Types, bounds, unknown fields and rules
    DocumentCase("symbols: SPY", "spec.symbols", "write a list"),
    DocumentCase("symbols: []", "spec.symbols"),
    DocumentCase("symbols: [SPY, SPY]"),
    DocumentCase("symbols: [[SPY]]", "spec.symbols[0]"),
    DocumentCase("symbols: {SPY: 1}", "spec.symbols"),
    DocumentCase("limits: [1]", "spec.limits"),
    DocumentCase("channels: [trades]", "spec.channels", "add quotes"),
    DocumentCase("channels: [quotes, news]", "spec.channels[1]"),
    DocumentCase("pausedSymbols: [{symbol: SPY}, {symbol: SPY}]", "spec.pausedSymbols", "contains SPY 2 times"),
    DocumentCase("enabeld: true", "spec.enabeld", "did you mean enabled?"),
    DocumentCase("firestore: {projectId: demo-sluice}", "spec.firestore.projectId", "did you mean projectID?"),
    DocumentCase("on: 1", "spec.true", "YAML reads on as true"),
    DocumentCase("1: 1", "spec.1"),
    DocumentCase("alpaca: {}", "spec.alpaca is used only by provider alpaca"),
    DocumentCase("pod: {env: [{name: LOG_LEVEL, value: loud}]}", "LOG_LEVEL must be one of"),
    DocumentCase('pod: {env: [{name: INGEST_ENABLED, value: "off\\n"}]}', "INGEST_ENABLED must be one of"),
    DocumentCase("pod: {env: [{name: INGEST_ENABLED, value: off}]}", "spec.pod.env[0].value", 'write "off"'),
    DocumentCase('pod: {labels: {"a b": c}}', "spec.pod.labels"),
    DocumentCase('pod: {labels: {"sluice.dev/a": c}}', "spec.pod.labels"),
    DocumentCase(f"pause: {{reason: {LONG}}}", "spec.pause.reason"),
    DocumentCase(f"pause: {{reason: {'ä' * 256}}}"),
    DocumentCase('pause: {reason: "\\U0001F600"}'),
    DocumentCase('pause: {reason: "two\\nlines\\n"}'),
    DocumentCase("pause:\n  reason: |\n    two\n    lines\n"),
    DocumentCase("firestore: {database: (default)}"),
    DocumentCase("firestore: {database: Default}", "spec.firestore.database"),
    DocumentCase("firestore: {liveQuotesCollection: users}", "this collection name is reserved"),
    # The syntax of YAML
    DocumentCase("symbols: [SPY]\nsymbols: [QQQ]", '"symbols" already set', "the key symbols occurs twice"),
    DocumentCase("pause: {reason: a, reason: b}", '"reason" already set', "the key reason occurs twice"),
    DocumentCase(
        "pause: {<<: {reason: a}, reason: b}", '"reason" already set',
        standalone_differs="kubectl merges the keys before it sends the document, so it accepts this",
    ),
    DocumentCase("pause: {<<: {reason: a}}"),
    DocumentCase("pause: &p {reason: a}\npausedSymbols: [{symbol: SPY, <<: *p}]"),
    DocumentCase("symbols: [&s SPY, QQQ]\npausedSymbols: [{symbol: *s}]"),
    DocumentCase("pause: {reason: *unknown}", "unknown anchor", "refers to an anchor that does not exist"),
    DocumentCase("pause: &p {reason: a, b: *p}", "contains itself", "used inside the value itself"),
    DocumentCase("limits:\n\tburst: 1", "cannot start any token", "a tab cannot indent YAML: use spaces"),
    DocumentCase("pause: {reason: a", "did not find expected", "is not closed, or a comma is missing in it"),
    DocumentCase("pause: {reason: 'a}", "unexpected end of stream", "a quotation mark is not closed"),
    DocumentCase("pause: reason: a", "mapping values are not allowed", "put a value with a colon in quotation marks"),
    DocumentCase("pause: {reason: !!str 7}"),
    DocumentCase("? [a]\n: 1", "invalid map key", "a key must be a string"),
    # Whole documents
    DocumentCase(f"# a comment\n---\n{HEADER}{_SYNTHETIC}  symbols: [SPY]\n"),
    DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\n...\n"),
    DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\n".replace("\n", "\r\n")),
    DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [{', '.join(f'A{n}' for n in range(2000))}]\n"),
    DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [{', '.join(f'A{n}' for n in range(2001))}]\n", "spec.symbols"),
    DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\nstatus: null\n"),
    DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\nstatus: {{phase: Running, observedGeneration: 1}}\n"),
    DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\nstatus: {{phasee: 1}}\n", "status.phasee"),
    DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\nsepc: {{}}\n", "sepc", "did you mean spec?"),
    DocumentCase(f"{HEADER}spec: null\n", "spec", "spec is missing"),
    DocumentCase(HEADER, "spec", "spec is missing"),
    DocumentCase(f"{HEADER}spec: []\n", "spec"),
    *(
        DocumentCase(f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\n".replace("name: standalone", text), field)
        for text, field in (
            ("name: 7", "ObjectMeta.name"), ("name: A", "metadata.name"), ("name: a_b", "metadata.name"),
            ("name: null", "metadata.name"), ('name: "a\\n"', "metadata.name"), (f"name: {'a' * 57}", "metadata.name"),
            ("name: a, foo: 1", "metadata.foo"), ("name: a, labels: {a: 1}", "ObjectMeta.labels"),
            ("name: a, labels: {a: b c}", "metadata.labels"), ("name: a, annotations: {a: true}",
            "ObjectMeta.annotations"),
            ("name: a, labels: {a: null}, annotations: null", _ACCEPTED), ("name: a.b-c", _ACCEPTED),
        )
    ),
    DocumentCase(
        f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\n".replace("kind: IngestJob", "kind: ingestjob"), "kind", "set it to Ing"
    ),
    DocumentCase(
        f"{HEADER}{_SYNTHETIC}  symbols: [SPY]\n".replace("v1alpha1", "v1"), 'in version "v1"',
        "set it to sluice.dev/v1alpha1"
    ),
    DocumentCase(
        f"metadata: {{name: a}}\n{_SYNTHETIC}  symbols: [SPY]\n", "Kind",
        standalone_differs="a file that is given with -f can only be an IngestJob",
    ),
    DocumentCase("- a\n", "version/kind", "not a mapping"),
]  # fmt: skip
