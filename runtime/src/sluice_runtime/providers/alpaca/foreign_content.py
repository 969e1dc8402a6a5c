"""Words for content that is not a message of Alpaca's: a login page, other JSON, or binary data.

The words say what kind of content it is, and quote none of it. They go to logs and to the status, and a job's URL may
lead to a server whose content the job's author may not read.
"""

from __future__ import annotations

import re
from contextlib import suppress

import msgspec

_HTML = re.compile(r"^\s*<(!doctype\s+html|html|head|body|title)\b", re.IGNORECASE)
_JSON = re.compile(r"^\s*[\[{]")


def describe_content(content: bytes | str) -> str:
    """Return a few words for the kind of a frame's or a response's content, without any of the content."""
    if not content:
        return "nothing"
    if isinstance(content, bytes) and _is_message_pack(content):
        return "MessagePack that is not a message of Alpaca's"
    text = content if isinstance(content, str) else _text_of_binary(content)
    if text is None:
        return "binary data"
    if _HTML.match(text):
        return "an HTML page"
    return "JSON that is not a message of Alpaca's" if _JSON.match(text) else "text that is not a message of Alpaca's"


def _is_message_pack(content: bytes) -> bool:
    """Return whether the content is an array or a map of MessagePack, because any text is some MessagePack number."""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, TypeError):
        return isinstance(msgspec.msgpack.decode(content), list | dict)
    return False


def _text_of_binary(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
