"""One module reads every text that a user writes, whatever its encoding and line endings."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "runtime/src/sluice_runtime"
READER = "adapters/user_text.py"

# The places that read a user's text: module, function, and the function that reads it.
READERS = {"read_user_text", "read_first_line", "read_certificates", "read_user_bytes", "open_user_text"}
USER_TEXTS = {
    (
        "providers/alpaca/credentials.py",
        "_raise_on_unknown_encoding",
        "read_user_text",
    ): "Alpaca's key pair, to say why it is unreadable",
    (
        "providers/alpaca/credentials.py",
        "_load_tls_context_and_certificates",
        "read_certificates",
    ): "spec.alpaca.caConfigMapRef",
    (
        "providers/alpaca/credentials.py",
        "_credentials_and_certificates",
        "read_user_bytes",
    ): "the same, to find out whether it has changed",
    ("providers/alpaca/credentials.py", "_read_value", "read_user_text"): "Alpaca's key pair",
    ("providers/alpaca/websocket.py", "system_tls_context", "read_certificates"): "SSL_CERT_FILE",
    ("sinks/firestore/credentials.py", "_read_key_file", "read_user_text"): "the service account key",
    ("adapters/http/bearer_token.py", "refusal", "read_user_text"): "the token of spec.http.tokenSecretRef",
    ("adapters/tape_file.py", "open_tape", "open_user_text"): "a tape",
    ("adapters/switches.py", "_read_line", "read_first_line"): "INGEST_ENABLED_FILE",
    ("cli.py", "read", "read_user_text"): "the IngestJob document",
    ("serve/command.py", "_scripted_faults", "read_user_text"): "scripted faults",
}

# Functions that open or read something; each use that does not read a user's text is listed with its reason.
OPENERS = {"open", "fdopen", "read_text", "read_bytes", "readline", "readlines"}
# Functions and arguments of libraries that read a file by its path.
PATH_READERS = {
    "load_verify_locations",
    "load_cert_chain",
    "cafile",
    "from_service_account_file",
    "load_credentials_from_file",
}
OWN_STATE = "our own state, which we write as JSON in UTF-8"
CONNECTION = "opens a connection or a gate, not a file"
ALLOWED = {
    ("__main__.py", "_flush_stdout", "open"): "the null device",
    ("providers/alpaca/source.py", "open_sdk_transport", "open"): CONNECTION,
    ("adapters/cached_job.py", "_read_cached_job", "read_bytes"): OWN_STATE,
    (
        "sinks/firestore/reloading_sink.py",
        "_read_key_or_none",
        "read_bytes",
    ): "compares a key's bytes; sink.py reads the key",
    ("providers/ibkr/source.py", "connect", "open"): CONNECTION,
    ("adapters/http/smoke_client.py", "_send_request", "open"): CONNECTION,
    ("adapters/api_session.py", "authorization_header", "read_text"): "Kubernetes writes the service account token",
    ("adapters/api_session.py", "client_session", "cafile"): "Kubernetes writes the service account's ca.crt",
    ("adapters/pause_file.py", "rewrite_under_lock", "open"): "a lock, which has no content",
    ("adapters/pause_file.py", "read", "read_bytes"): OWN_STATE,
    ("adapters/recording.py", "__init__", "open"): "writes a tape",
    ("adapters/runtime_id.py", "read_or_create_runtime_id", "read_text"): OWN_STATE,
    ("adapters/stored_pauses.py", "read", "read_bytes"): OWN_STATE,
    ("adapters/switches.py", "read", "read_bytes"): OWN_STATE,
    ("adapters/switches.py", "write_file_atomically", "open"): "writes our own state",
    (
        "providers/alpaca/websocket.py",
        "system_tls_context",
        "load_verify_locations",
    ): "takes text that read_certificates has read",
    ("standalone.py", "_create_and_open_sink", "open"): CONNECTION,
}

Use = tuple[str, str, str]


def uses_in(tree: ast.AST, module: str, function: str = "") -> Iterator[Use]:
    """Yield each use below `tree` of a function that may read a file: module, innermost function and name."""
    for node in ast.iter_child_nodes(tree):
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from ((module, inner, name) for name in names_used(node) if name in OPENERS | PATH_READERS | READERS)
        yield from uses_in(node, module, inner)


def names_used(node: ast.AST) -> Iterator[str]:
    """Yield a name; a method's name only where it is called, because a bar has an attribute `open`."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(value=ast.Name(id="gzip" | "io" | "os"), attr=name):
            yield name
        case ast.Call(func=ast.Attribute(attr=name)):
            yield name
    if isinstance(node, ast.Call):
        yield from (each.arg for each in node.keywords if each.arg == "cafile")


@cache
def uses() -> frozenset[Use]:
    """Return the uses in the whole runtime, except those of the module that reads users' texts."""
    modules = {str(path.relative_to(SOURCE)): path for path in SOURCE.rglob("*.py")}
    return frozenset(
        use for name, path in modules.items() if name != READER for use in uses_in(ast.parse(path.read_text()), name)
    )


def test_every_user_text_is_read_by_one_module() -> None:
    assert {use for use in uses() if use[2] not in READERS} - ALLOWED.keys() == set()


def test_each_listed_exception_still_exists() -> None:
    assert ALLOWED.keys() - uses() == set()


def test_the_user_texts_are_listed() -> None:
    assert {use for use in uses() if use[2] in READERS} == USER_TEXTS.keys()


def test_a_text_that_is_read_differently_is_found() -> None:
    source = "class A:\n  def key(self):\n    return self._file.read_text()\nasync def f():\n  with open('x'): pass\n"
    assert set(uses_in(ast.parse(source), "a.py")) == {("a.py", "key", "read_text"), ("a.py", "f", "open")}
