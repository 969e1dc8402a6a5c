from sluice_runtime.domain.sampling import LogSampler


def test_sampling_keeps_one_item_of_each_key_a_second() -> None:
    sampler = LogSampler(1.0)
    taken = [(key, at) for at in (0.0, 0.5, 1.0, 1.9, 2.5) for key in "AAB" if sampler.admit_once_per_period(key, at)]
    assert taken == [("A", 0.0), ("B", 0.0), ("A", 1.0), ("B", 1.0), ("A", 2.5), ("B", 2.5)]
