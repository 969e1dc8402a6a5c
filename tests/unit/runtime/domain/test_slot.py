import pytest

from sluice_contract.lease import LeaseObservation
from sluice_runtime.domain.slot import HELD_SECONDS, SlotClaim, is_claimable_by, key_digest, slot_lease_name
from support.virtual_time import START

STREAM = "wss://stream.data.alpaca.markets/v2/iex"
CLUSTER = "0f3c9f1e-6a41-4a53-8d0e-1f7a3d1c2b44"
OTHERS = SlotClaim(holder="other", renewed_at=START, version="1")


@pytest.mark.parametrize("claim", [None, SlotClaim(holder=""), SlotClaim(holder="me")])
def test_an_unheld_or_own_claim_is_free(claim: SlotClaim | None) -> None:
    assert is_claimable_by("me", LeaseObservation(claim, 0.0), 0.0)


def test_a_claim_that_another_renews_is_never_free() -> None:
    sighting = LeaseObservation[SlotClaim](None, 0.0)
    for n in range(100):
        wait_for_rotation = SlotClaim(holder="other", renewed_at=START, version=str(n))
        sighting = sighting.updated_with(wait_for_rotation, n * 50.0)
        assert not is_claimable_by("me", sighting, n * 50.0)


def test_a_claim_that_another_no_longer_renews_is_free_after_a_while() -> None:
    sighting = LeaseObservation[SlotClaim](None, 0.0).updated_with(OTHERS, 10.0).updated_with(OTHERS, 60.0)
    assert not is_claimable_by("me", sighting, 10.0 + HELD_SECONDS - 1)
    assert is_claimable_by("me", sighting, 10.0 + HELD_SECONDS)


def test_each_key_has_its_own_slot_whose_name_does_not_reveal_it() -> None:
    names = [slot_lease_name(key) for key in ("a-secret\niex", "a-secret\nsip")]
    assert names[0] == "sluice-slot-1c9b26c2247e4f7999bd"
    assert names[0] != names[1]
    assert all("a-secret" not in name and len(name) <= 63 for name in names)


def test_the_digest_of_a_key_differs_between_keys_streams_and_clusters_and_reveals_none_of_them() -> None:
    digests = [
        key_digest("PK1", STREAM, CLUSTER),
        key_digest("PK2", STREAM, CLUSTER),
        key_digest("PK1", "wss://other", CLUSTER),
        key_digest("PK1", STREAM, "another cluster"),
    ]
    assert len(set(digests)) == 4
    assert all(len(digest) == 32 and set(digest) <= set("0123456789abcdef") for digest in digests)
    assert digests[0] == key_digest("PK1", STREAM, CLUSTER)
