"""The mark of a hot field: the running pod applies its changes. Every other field is cold and needs a new pod.

The mark stands on the field itself. Derived from it are the cold hash, the job in a pod's environment, what a
standalone runtime applies of a changed document, and the marks in docs/ingestjob.md.
"""

from __future__ import annotations

import functools
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta

HOT: Final = Meta(extra={"hot": True})

T = TypeVar("T", bound=msgspec.Struct)


class _HotParts(msgspec.Struct, frozen=True):
    """The marked fields of a struct, its cold fields that are structs with marked fields, and the paths of both."""

    marked: tuple[str, ...]
    structs: tuple[str, ...]
    paths: frozenset[str]


def hot_field_paths(kind: type[msgspec.Struct]) -> frozenset[str]:
    """Return the paths of the marked fields, as in the document: `symbols`, `heartbeat.intervalSeconds`.

    All fields below a marked field are hot too; their paths are not among these.

    Raises:
        TypeError: a struct that may be absent has a marked field.
    """
    return _hot_parts(kind).paths


def with_hot_fields_of(part: T, source: T) -> T:
    """Return `part` with the hot fields of `source`. The cold fields of `source` have no effect."""
    parts = _hot_parts(type(part))
    changed: dict[str, Any] = {name: getattr(source, name) for name in parts.marked}
    for name in parts.structs:
        changed[name] = with_hot_fields_of(getattr(part, name), getattr(source, name))
    return msgspec.structs.replace(part, **changed)


@functools.cache  # msgspec evaluates every annotation of the struct, which takes half a millisecond
def _hot_parts(kind: type[msgspec.Struct]) -> _HotParts:
    marked, structs, paths = [], [], set()
    for field in msgspec.structs.fields(kind):
        if _is_marked(field.type):
            marked.append(field.name)
            paths.add(field.encode_name)
        elif below := _hot_paths_below(field):
            structs.append(field.name)
            paths.update(f"{field.encode_name}.{path}" for path in below)
    return _HotParts(tuple(marked), tuple(structs), frozenset(paths))


def _hot_paths_below(field: msgspec.structs.FieldInfo) -> frozenset[str]:
    """Return the paths of the marked fields in the struct that the field holds; empty if it holds none."""
    bare = _without_annotations(field.type)
    kinds = [_without_annotations(each) for each in _alternatives(bare)]
    found = [_hot_parts(each).paths for each in kinds if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    paths = frozenset[str]().union(*found)
    if paths and len(kinds) > 1:
        raise TypeError(f"{field.name} may be absent, so a field in it cannot be hot: mark {field.name} itself")
    return paths


def _is_marked(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        return HOT in get_args(kind)[1:] or _is_marked(get_args(kind)[0])
    kinds = _alternatives(kind)
    return len(kinds) > 1 and any(_is_marked(each) for each in kinds)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the types of a union such as `X | None`; the type itself if it is no union."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _without_annotations(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind
