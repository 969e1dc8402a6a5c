import msgspec
import pytest

from sluice_runtime.adapters.decoding import decode_json, decode_kubernetes_json


def test_a_message_is_decoded() -> None:
    assert decode_json(b'{"a": 1}', dict[str, int]) == {"a": 1}


@pytest.mark.parametrize("raw", [b"", b"{", b'{"a": "1"}', b'{"\xff": 1}', b'{"a": ' + b"[" * 100_000])
def test_every_invalid_input_raises_the_same_type_of_error(raw: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_json(raw, dict[str, int])


def test_deep_values_of_a_kubernetes_object_do_not_hide_the_others() -> None:
    raw = b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b', "b": 1}'
    found = decode_kubernetes_json(raw, dict[str, object])
    assert (set(found), found["b"]) == ({"a", "b"}, 1)


@pytest.mark.parametrize("raw", [b"", b"{", b'{"a": "1"}', b'{"\xff": 1}', b'{"a": ' + b"[" * 100_000])
def test_an_invalid_kubernetes_object_raises_the_same_type_of_error(raw: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_kubernetes_json(raw, dict[str, int])
