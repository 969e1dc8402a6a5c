from sluice_runtime.providers.provider import ProviderVariables


def test_a_provider_without_variables_builds_an_empty_block_and_changes_none() -> None:
    variables = ProviderVariables()
    assert variables.read_block({"ANY": "1"}, is_dry_run=False) == {}
    assert variables.block_for_dry_run({"host": "a"}, {}) == {"host": "a"}
    assert variables.names == ()
