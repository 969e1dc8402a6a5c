"""The types of single values in the status of an IngestJob, with their bounds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, get_args

from msgspec import Meta

from .instants import INSTANT_SCHEMA

# The largest integer that every JSON reader can represent.
LARGEST = 2**53 - 1
# The bound of a text whose values are listed. It leaves room for the values of later versions.
ENUM_TEXT_LENGTH = 63

Instant = Annotated[datetime, Meta(tz=True, extra_json_schema=INSTANT_SCHEMA)]
Count = Annotated[int, Meta(ge=0, le=LARGEST)]
Name = Annotated[str, Meta(max_length=253)]
Digest = Annotated[str, Meta(max_length=64)]
Sentence = Annotated[str, Meta(max_length=1024)]


def enum_text_schema(literal: Any, description: str) -> Meta:
    """Return the annotation of a text field whose schema lists the values of a Literal. Decoding accepts any text."""
    return Meta(
        description=description, max_length=ENUM_TEXT_LENGTH, extra_json_schema={"enum": list(get_args(literal))}
    )
