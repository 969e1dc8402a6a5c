from sluice_runtime.domain.market_hours import ALWAYS_OPEN, MarketSchedule
from sluice_runtime.providers.simulated_quotes import SyntheticSource
from sluice_runtime.providers.synthetic import PROVIDER
from support.provider_settings import settings_of
from support.runtime_fakes import job_spec


def test_the_source_has_the_rate_of_the_spec_or_its_default() -> None:
    for settings, rate in ((settings_of(), 5), (settings_of(synthetic={"quotesPerSecond": 77}), 77)):
        source = PROVIDER.create_clients(settings, {}).source
        assert isinstance(source, SyntheticSource)
        assert (source.name, source.quotes_per_second) == ("synthetic", rate)


def test_its_market_never_closes_except_between_the_sessions_of_the_spec() -> None:
    assert PROVIDER.market_hours is not None
    assert PROVIDER.market_hours(job_spec()) == ALWAYS_OPEN
    assert PROVIDER.market_hours(job_spec(sessions=["regular"])) == MarketSchedule(frozenset({"regular"}), "open")
