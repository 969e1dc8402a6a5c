"""The settings of each provider, and what they declare together."""

from __future__ import annotations

import functools
from typing import Final, get_args, get_type_hints

import msgspec

from .lenient import type_without_bounds_and_none
from .provider_block import ProviderBlock
from .rule import ValidationRule
from .spec import IngestJobSpec, Provider


def _block_type(provider: str) -> type[ProviderBlock]:
    """Return the type of the field of the spec that has the provider's name."""
    [field] = [each for each in msgspec.structs.fields(IngestJobSpec) if each.name == provider]
    block: type[ProviderBlock] = type_without_bounds_and_none(field.type)
    return block


# By the name of the provider.
BLOCK_TYPES: Final = {provider: _block_type(provider) for provider in get_args(Provider)}
# What the operator's variable SLUICE_PROVIDER_HOSTS has if it is not set.
DEFAULT_HOST_ENTRIES: Final = tuple(host for block in BLOCK_TYPES.values() for host in block.default_hosts)
# The fields of the spec that name certificate authorities to trust.
CERTIFICATES_FIELDS: Final = tuple(
    block.certificates_field for block in BLOCK_TYPES.values() if block.certificates_field
)


def declared_blocks(spec: IngestJobSpec) -> list[ProviderBlock]:
    """Return each block that the spec has. A job that was stored without the rules may have several."""
    blocks = (getattr(spec, provider) for provider in BLOCK_TYPES)
    return [block for block in blocks if block is not None]


def needs_credentials(spec: IngestJobSpec) -> bool:
    """Return whether the job needs credentials of its provider. A dry run without credentials simulates quotes."""
    return BLOCK_TYPES[spec.provider].needs_credentials and (not spec.dry_run or spec.credentials is not None)


def feed_of_spec(spec: IngestJobSpec) -> str | None:
    """Return the feed that the job streams, also if the spec does not name it; None if its provider has no feeds."""
    block = spec.provider_block
    if block is not None:
        feed: str | None = getattr(block, "feed", None)
        return feed
    return _default_feed(spec.provider)


def feeds_of_provider(provider: str) -> tuple[str, ...]:
    """Return the feeds that a job can choose from; none if the provider has no feeds."""
    block = BLOCK_TYPES[provider]
    return get_args(get_type_hints(block)["feed"]) if "feed" in block.__struct_fields__ else ()


@functools.cache
def _default_feed(provider: str) -> str | None:
    fields = msgspec.structs.fields(BLOCK_TYPES[provider])  # half a millisecond, because it evaluates each annotation
    return next((field.default for field in fields if field.name == "feed"), None)


def stream_has_end(spec: IngestJobSpec) -> bool:
    """Return whether the stream of the job ends by itself."""
    return BLOCK_TYPES[spec.provider].stream_has_end


def _rule_for_use_of_block(provider: str) -> ValidationRule:
    return ValidationRule(
        path=("spec",),
        rule=f"!has(self.{provider}) || self.provider == '{provider}'",
        message=f"spec.{provider} is used only by provider {provider}: remove it, or set spec.provider to {provider}",
        holds=lambda job: getattr(job.spec, provider) is None or job.spec.provider == provider,
    )


PROVIDER_RULES: Final = (
    *map(_rule_for_use_of_block, BLOCK_TYPES),
    *(rule for block in BLOCK_TYPES.values() for rule in block.rules),
)
