from sluice_runtime.domain.freshness import NO_SYMBOLS, FreshnessSummary
from sluice_runtime.domain.market_hours import MarketState
from sluice_runtime.state.freshness_state import FreshnessState


def test_the_newest_summary_counts_and_there_is_none_before_the_first() -> None:
    freshness = FreshnessState()
    assert freshness.summary is None
    for phase in ("open", "closed"):
        freshness.renew(FreshnessSummary(session=MarketState(phase), counts=NO_SYMBOLS))
    assert freshness.summary == FreshnessSummary(session=MarketState("closed"), counts=NO_SYMBOLS)
