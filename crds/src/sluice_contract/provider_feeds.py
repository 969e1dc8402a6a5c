"""Providers and their feeds, as pauses and policies name them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta

from .base import CamelStruct

_NAME: Final = r"^[a-z][a-z0-9_-]*$"
_NAME_SCHEMA: Final[dict[str, Any]] = {
    "x-kubernetes-validations": [
        {
            "rule": f"self.matches(r'{_NAME}')",
            "message": "write the name in lower case, as in spec.provider and in the provider's feed",
        }
    ]
}

FeedName = Annotated[str, Meta(pattern=_NAME, max_length=32, extra_json_schema=_NAME_SCHEMA)]


class ProviderFeeds(CamelStruct, frozen=True):
    """A provider, or some of its feeds."""

    name: Annotated[FeedName, Meta(description="The provider, as in spec.provider of a job.")]
    feeds: Annotated[
        Annotated[
            list[FeedName],
            Meta(min_length=1, max_length=16),
        ]
        | None,
        Meta(description="The feeds, as in the field feed of the provider's settings. Absent: all of them."),
    ] = None

    def covers_feed(self, provider: str, feed: str | None) -> bool:
        """Return whether a job with this provider and feed is one of those meant. `feed` is None if it has no feeds."""
        return self.name == provider and (self.feeds is None or feed in self.feeds)
