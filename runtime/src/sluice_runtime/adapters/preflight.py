"""Preflight checks of the provider's account, with the provider's SDK if it is installed."""

from __future__ import annotations

from sluice_contract.spec import IngestJobSpec

from ..domain.endpoints import RestEndpoints
from ..domain.failure import StreamError
from ..domain.preflight import Finding
from .alpaca.credentials import AlpacaMount


def findings_of(spec: IngestJobSpec, mount: AlpacaMount | None, rest: RestEndpoints) -> list[Finding]:
    """Return all findings. Never raises: an error is a finding too. `mount` has the key pair, if any."""
    if spec.provider != "alpaca" or mount is None:
        return [Finding("preflight", True, f"a job of provider {spec.provider} has no account to check")]
    try:
        from .alpaca.preflight import findings  # noqa: PLC0415
    except ImportError as error:
        return [Finding("preflight", False, f"not done: this image has no alpaca-py ({error})")]
    try:
        credentials, certificates = mount.credentials(), mount.trusted()
    except StreamError as error:
        return [Finding("credentials", False, error.message)]
    return list(findings(spec, credentials, rest, certificates))
