from sluice_contract.provider_feeds import ProviderFeeds


def test_without_feeds_every_job_of_the_provider_is_covered() -> None:
    vendor = ProviderFeeds(name="synthetic")
    assert vendor.covers_feed("synthetic", "sip")
    assert vendor.covers_feed("synthetic", None)
    assert not vendor.covers_feed("replay", "sip")


def test_with_feeds_only_these_are_covered() -> None:
    vendor = ProviderFeeds(name="synthetic", feeds=["sip", "iex"])
    assert vendor.covers_feed("synthetic", "iex")
    assert not vendor.covers_feed("synthetic", "test")
    assert not vendor.covers_feed("synthetic", None)
    assert not vendor.covers_feed("replay", "iex")
