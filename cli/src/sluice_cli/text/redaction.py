"""Removing of secrets from texts that are to be sent to others: logs, messages and reasons."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

REDACTED = "(redacted)"

# The last part of a name whose value is a secret, as in ALPACA_SECRET_KEY, apiKey, x-auth-token or client_secret.
_NAME_ENDS = (
    r"(?:secret|token|passw(?:or)?d|passwd|passphrase|api[-_ ]?key|key[-_ ]?id|access[-_ ]?key|private[-_ ]?key"
    r"|secret[-_ ]?key|client[-_ ]?key|signature|authorization|cookie|credentials?)"
)
_QUOTE = r"""\\?["']?"""
_ASSIGNED = re.compile(
    rf"""(?<![\w.-])([\w.-]*{_NAME_ENDS}{_QUOTE}\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|\\"[^"]*\\"|[^\s"',;&}}\]]+)""",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"(?:^|.*[\w.-]){_NAME_ENDS}", re.IGNORECASE)

_PATTERNS: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), REDACTED),
    (re.compile(r"""\b([a-z][a-z0-9+.-]*://)[^\s"'<>]*@""", re.IGNORECASE), rf"\1{REDACTED}@"),
    (
        re.compile(r"""(authorization\\?["']?\s*[:=]\s*\\?["']?)[^"'\\\s,}][^"'\\\n,}]*""", re.IGNORECASE),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"\b(bearer)(\s+|%20)[^\s\"',;]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"\b(basic)\s+[A-Za-z0-9+/=]{12,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (_ASSIGNED, lambda match: match[1] + _with_quotes_of(match[2])),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), REDACTED),  # JSON Web Tokens
    (re.compile(r"\b(?:PK|AK|CK)[A-Z0-9]{16,24}\b"), REDACTED),  # key IDs of market data services
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bya29\.[\w.-]+|\bAIza[\w-]{30,}"), REDACTED),  # keys of clouds
    (re.compile(r"\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeprs]-[\w-]{8,}"), REDACTED),
)
_LONG_WORD = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_KINDS_OF_CHARACTERS = tuple(map(re.compile, ("[A-Z]", "[a-z]", "[0-9]")))
_PROJECT = re.compile(r"\bprojects/([a-z][a-z0-9:.-]*[a-z0-9])\b")


class Redactor:
    """Replaces what looks like a secret, and the values that are known to be one."""

    def __init__(self, secrets: Iterable[str] = (), projects: Iterable[str] = ()) -> None:
        """`secrets` are values to remove wherever they occur. `projects` are names of projects to replace."""
        self._secrets = sorted({each for each in secrets if each}, key=len, reverse=True)
        self._projects = sorted({each for each in projects if each}, key=len, reverse=True)

    def text(self, value: str) -> str:
        """Return the text without secrets."""
        for secret in self._secrets:
            value = value.replace(secret, REDACTED)
        for pattern, replacement in _PATTERNS:
            value = pattern.sub(replacement, value)
        value = _LONG_WORD.sub(_replaced_word, value)
        for number, project in enumerate(self._projects, 1):
            value = re.sub(rf"(?<![\w-]){re.escape(project)}(?![\w-])", f"project-{number}", value)
        return value


def is_secret_name(name: str) -> bool:
    """Return whether a field or a variable with this name has a secret value.

    >>> is_secret_name("ALPACA_SECRET_KEY"), is_secret_name("secretName")
    (True, False)
    """
    return _NAMED.fullmatch(name) is not None


def projects_in(text: str) -> frozenset[str]:
    """Return the names of the projects in resource names such as `projects/acme/databases/(default)`."""
    return frozenset(_PROJECT.findall(text))


def _with_quotes_of(value: str) -> str:
    """Return the replacement in the quotation marks of a value, so that JSON stays JSON."""
    quote = next((each for each in ('\\"', '"', "'") if value.startswith(each)), "")
    return f"{quote}{REDACTED}{quote}"


def _replaced_word(match: re.Match[str]) -> str:
    """Return the word, unless it is as random as a key: it has capital letters, small ones, and digits."""
    word = match[0]
    return REDACTED if all(each.search(word) for each in _KINDS_OF_CHARACTERS) else word
