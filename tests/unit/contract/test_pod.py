import msgspec
import pytest

from sluice_contract.pod import PodOptions


def test_every_field_is_optional() -> None:
    assert msgspec.to_builtins(msgspec.convert({}, PodOptions)) == {}


def test_fields_are_spelled_as_in_a_pod() -> None:
    block = {
        "resources": {"requests": {"cpu": "250m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "feeds", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 30}],
        "priorityClassName": "feeds",
        "imagePullSecrets": [{"name": "registry"}],
        "env": [{"name": "LOG_LEVEL", "value": "debug"}],
        "labels": {"example.com/desk": "options"},
        "annotations": {"example.com/note": "Beware, of the dog."},
    }
    assert msgspec.to_builtins(msgspec.convert(block, PodOptions)) == block


@pytest.mark.parametrize(
    "block",
    [
        {"resources": {"requests": {"cpu": "much"}}},
        {"resources": {"limits": {"memory": "-1Mi"}}},
        {"nodeSelector": {"a b": "c"}},
        {"nodeSelector": {"a": "b c"}},
        {"tolerations": [{"operator": "Like"}]},
        {"env": [{"name": "PYTHONPATH", "value": "/etc/sluice/alpaca-ca"}]},
        {"env": [{"name": "LOG_LEVEL", "value": "x" * 257}]},
        {"labels": {"-a": "b"}},
        {"annotations": {f"a{n}": "" for n in range(21)}},
    ],
)
def test_values_out_of_bounds_are_rejected(block: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(block, PodOptions)
