"""The base class of the settings of a provider, with what they declare to the operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from .base import CamelStruct
from .provider_urls import CredentialsURL
from .rule import ValidationRule


class SecretMount(msgspec.Struct, frozen=True, kw_only=True):
    """A Secret in the namespace of the job. Only the named keys become files; the pod also starts without them."""

    volume: str  # the name of the volume, unique in the pod
    name: str  # of the Secret
    keys: tuple[str, ...]
    directory: str


class ConfigMapMount(msgspec.Struct, frozen=True, kw_only=True):
    """A ConfigMap in the namespace of the job, with some of its keys or all. The pod also starts without it."""

    volume: str  # the name of the volume, unique in the pod
    name: str  # of the ConfigMap
    keys: tuple[str, ...] = ()  # empty: all
    directory: str


class ClaimMount(msgspec.Struct, frozen=True, kw_only=True):
    """A PersistentVolumeClaim in the namespace of the job. The pod waits for it: a claim cannot be optional."""

    volume: str  # the name of the volume, unique in the pod
    name: str  # of the claim
    directory: str


PodMount = SecretMount | ConfigMapMount | ClaimMount


class GatewayAddress(msgspec.Struct, frozen=True):
    """A server that a job connects to without TLS and without credentials, and the field of the spec that names it."""

    field: str
    host: str
    port: int


class ProviderBlock(CamelStruct, frozen=True):
    """The settings of a provider: the field of the spec that has the provider's name.

    A provider overrides the declarations that differ from these.
    """

    # The block of an example job, as in the document. Empty: the example has no block.
    example: ClassVar[Mapping[str, Any]] = {}
    # Entries of SLUICE_PROVIDER_HOSTS, which the operator allows unless the variable is set.
    default_hosts: ClassVar[tuple[str, ...]] = ()
    # Whether a job of the provider needs credentials, except in a dry run that simulates quotes.
    needs_credentials: ClassVar[bool] = False
    # Whether the stream has an end, at which the job is Stopped.
    stream_has_end: ClassVar[bool] = False
    # The field of the spec that names the certificate authorities to trust. Empty: there is no such field.
    certificates_field: ClassVar[str] = ""
    # The fields of the block whose values identify the one connection that the provider allows: of each group, the
    # first that is present. Without a value for a group, the job needs no slot. Empty: connections are not limited.
    connection_fields: ClassVar[tuple[tuple[str, ...], ...]] = ()
    # The rules of the provider across fields. That no other provider uses the block needs no rule here.
    rules: ClassVar[tuple[ValidationRule, ...]] = ()

    @property
    def credentials(self) -> SecretMount | None:
        """The Secret with the credentials of the job, which the pod mounts; None if the block names none."""
        return None

    @property
    def settings_mounts(self) -> tuple[PodMount, ...]:
        """What the pod mounts to connect, besides the credentials."""
        return ()

    @property
    def data_mounts(self) -> tuple[PodMount, ...]:
        """What the pod mounts as the data that it streams."""
        return ()

    @property
    def gateway(self) -> GatewayAddress | None:
        """The server to which the job connects without credentials; None if there is none."""
        return None

    def credentials_urls(self) -> Iterator[CredentialsURL]:
        """Yield each URL to which a job with credentials sends them."""
        yield from ()
