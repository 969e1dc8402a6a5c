from typing import Any

import pytest

from sluice_contract.spec import IngestJobSpec
from sluice_runtime.domain.slot import HELD_SECONDS, ClaimObservation, SlotClaim, slot_lease_name
from support.runtime_fakes import job_spec
from support.virtual_time import START

OTHERS = SlotClaim(holder="other", renewed_at=START, version="1")


@pytest.mark.parametrize("claim", [None, SlotClaim(holder=""), SlotClaim(holder="me")])
def test_an_unheld_or_own_claim_is_free(claim: SlotClaim | None) -> None:
    assert ClaimObservation(claim, 0.0).is_claimable_by("me", 0.0)


def test_a_claim_that_another_renews_is_never_free() -> None:
    sighting = ClaimObservation(None, 0.0)
    for n in range(100):
        wait_for_rotation = SlotClaim(holder="other", renewed_at=START, version=str(n))
        sighting = sighting.updated_with(wait_for_rotation, n * 50.0)
        assert not sighting.is_claimable_by("me", n * 50.0)


def test_a_claim_that_another_no_longer_renews_is_free_after_a_while() -> None:
    sighting = ClaimObservation(None, 0.0).updated_with(OTHERS, 10.0).updated_with(OTHERS, 60.0)
    assert not sighting.is_claimable_by("me", 10.0 + HELD_SECONDS - 1)
    assert sighting.is_claimable_by("me", 10.0 + HELD_SECONDS)


def spec(name: str = "alpaca", **alpaca: Any) -> IngestJobSpec:
    block = {"credentialsSecretRef": {"name": name}, **alpaca}
    return job_spec(provider="alpaca", alpaca=block)


def test_each_secret_and_endpoint_has_its_own_slot_whose_name_reveals_neither() -> None:
    specs = [spec(), spec("other"), spec(feed="sip"), spec(streamURL="wss://proxy.example/v2/iex")]
    names = [slot_lease_name(each) for each in specs]
    assert len(set(names)) == 4
    assert names[0] == slot_lease_name(spec(feed="iex"))
    assert all(name is not None and "alpaca" not in name and len(name) <= 63 for name in names)


def test_each_client_of_a_gateway_has_its_own_slot() -> None:
    def name(**ibkr: Any) -> str | None:
        return slot_lease_name(job_spec(provider="ibkr", ibkr={"host": "gateway", **ibkr}))

    names = [name(), name(host="other"), name(port=4001), name(clientID=2)]
    assert (len(set(names)), None in names) == (4, False)
    assert names[0] == name(host="Gateway", port=4002, clientID=1)


def test_a_provider_without_credentials_needs_no_slot() -> None:
    assert slot_lease_name(job_spec()) is None
    assert slot_lease_name(job_spec(provider="alpaca", dryRun=True)) is None
