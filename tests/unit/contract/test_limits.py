from sluice_contract.limits import WriteLimits


def test_the_defaults_are_those_of_the_documentation() -> None:
    limits = WriteLimits()
    assert (limits.min_interval_milliseconds, limits.writes_per_second, limits.burst) == (1000, 20, 40)
    assert (limits.flush_interval_milliseconds, limits.max_spread_percent) == (200, 20)
