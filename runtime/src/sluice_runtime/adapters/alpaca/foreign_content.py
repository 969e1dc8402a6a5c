"""Words for content that is not a message of Alpaca's: a login page, other JSON, or binary data.

The words are short and printable, and contain no credentials, because they go to logs and to the status.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import msgspec

_MOST_CHARACTERS = 160
_READ_BYTES = 2048  # of a long body
_HIDDEN = "***"
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_HTML = re.compile(r"^\s*<(!doctype\s+html|html|head|body|title)\b", re.IGNORECASE)


def describe_content(content: bytes | str, secrets: Sequence[str] = ()) -> str:
    """Return words for the content of a frame or of a response, at most about 200 characters.

    `secrets` are texts to hide, such as a key that a server returns.
    """
    if not content:
        return "nothing"
    if isinstance(content, bytes) and (unpacked := _json_of_binary(content)) is not None:
        return f"MessagePack: {_shortened(unpacked, secrets)}"
    text = content if isinstance(content, str) else _text_of_binary(content)
    if text is None:
        return f"{len(content)} bytes of binary data"
    if _HTML.match(text):
        title = _TITLE.search(text[:_READ_BYTES])
        return f"an HTML page titled {_shortened(title[1], secrets)}" if title else "an HTML page"
    return f"the text {_shortened(text, secrets)}"


def _json_of_binary(content: bytes) -> str | None:
    """Return MessagePack as JSON; None unless it is an array or a map, because any text is some MessagePack number."""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, TypeError):
        value = msgspec.msgpack.decode(content)
        if isinstance(value, list | dict):
            return msgspec.json.encode(value).decode()
    return None


def _text_of_binary(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _shortened(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, _HIDDEN)
    text = " ".join(text[: 4 * _MOST_CHARACTERS].split())
    text = "".join(each if each.isprintable() else "?" for each in text)
    return f'"{text[:_MOST_CHARACTERS]}…"' if len(text) > _MOST_CHARACTERS else f'"{text}"'
