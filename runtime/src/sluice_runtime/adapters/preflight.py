"""A look at the provider's account: by whichever SDK there is, if it is installed."""

from __future__ import annotations

from sluice_contract.spec import IngestJobSpec

from ..domain.endpoints import Endpoints
from ..domain.failure import StreamError
from ..domain.preflight import Finding
from .alpaca.credentials import AlpacaMount


def findings_of(spec: IngestJobSpec, mount: AlpacaMount | None, rest: Endpoints) -> list[Finding]:
    """All findings. Never raises: what is in the way is a finding too. `mount`: where the key pair is, if any."""
    if spec.provider != "alpaca" or mount is None:
        return [Finding("preflight", True, f"this job of provider {spec.provider} has no account to look at")]
    try:
        from .alpaca.preflight import findings  # noqa: PLC0415
    except ImportError as error:
        return [Finding("preflight", False, f"not done: this image has no alpaca-py ({error})")]
    try:
        credentials, certificates = mount.credentials(), mount.trusted()
    except StreamError as error:
        return [Finding("credentials", False, error.message)]
    return list(findings(spec, credentials, rest, certificates))
