"""Finds the names of providers and of vendors' products in identifiers and strings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_args

from sluice_contract.spec import Provider

PROVIDERS = frozenset(get_args(Provider))
# These are also words of every stream: a replay, a synthetic quote. As the name of a provider they are found all the
# same: alone in a string, as an attribute, and after "provider" or "spec".
COMMON_WORDS = frozenset({"replay", "synthetic"})
# The products and prefixes of the vendors.
PRODUCTS = ("fakepaca", "tws", "ib gateway", "ib async", "apca", "interactive brokers")

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def words_of(text: str) -> str:
    """Return the words of an identifier or a text in lower case, separated by spaces: `IBKRSettings` has two."""
    return " ".join(_WORD.findall(text)).lower()


def texts_in(node: ast.AST) -> Iterator[str]:
    """Yield the identifiers and the string of one node of a syntax tree, without the nodes below it."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ImportFrom(module=str(module)):
            yield module
        case ast.alias(name=name, asname=other):
            yield from (name, other or "")
        case ast.MatchClass(kwd_attrs=names):
            yield from names


def names_a_provider(text: str) -> bool:
    """Return whether an identifier or a string contains the name of a provider or of a vendor's product."""
    words = f" {words_of(text)} "
    distinct = (*(PROVIDERS - COMMON_WORDS), *PRODUCTS)
    phrases = (f"{before} {name}" for name in COMMON_WORDS for before in ("provider", "spec"))
    return text in PROVIDERS or any(f" {each} " in words for each in (*distinct, *phrases))
