"""Preflight checks of the provider's account, with the provider's SDK if it is installed."""

from __future__ import annotations

from sluice_contract.spec import IngestJobSpec

from ..domain.endpoints import RestEndpoints
from ..domain.failure import StreamError
from ..domain.preflight import Finding
from .alpaca.credentials import CredentialsReader


def run_preflight_checks(
    spec: IngestJobSpec, credentials_reader: CredentialsReader | None, endpoints: RestEndpoints
) -> list[Finding]:
    """Run the preflight checks of the provider's account, and return the findings.

    Never raises: an error becomes a finding.

    `credentials_reader` has the key pair; None if the job needs none.
    """
    if spec.provider != "alpaca" or credentials_reader is None:
        return [Finding("preflight", True, f"a job of provider {spec.provider} has no account to check")]
    try:
        from .alpaca.preflight import check_account_and_symbols  # noqa: PLC0415
    except ImportError as error:
        return [Finding("preflight", False, f"not done: this image has no alpaca-py ({error})")]
    try:
        credentials, certificates = (
            credentials_reader.read_and_remember_credentials(),
            credentials_reader.copy_certificates_to_memory(),
        )
    except StreamError as error:
        return [Finding("credentials", False, error.message)]
    return list(check_account_and_symbols(spec, credentials, endpoints, certificates))
