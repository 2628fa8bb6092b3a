"""Frozen dataclasses to JSON values and back. The class's name goes along
as `node`; fields at their default are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import Any, cast

from dsl.types import Type


def kinds(*namespaces: Mapping[str, Any]) -> dict[str, type]:
    """The dataclasses among the values of some namespaces, by name."""
    return {v.__name__: v for space in namespaces for v in space.values() if isinstance(v, type) and is_dataclass(v)}


def encode(node: Any) -> Any:
    """JSON values for a dataclass, a tuple, an enum or a plain value."""
    if is_dataclass(node):
        out = {"node": type(node).__name__}
        for f in fields(node):
            value = getattr(node, f.name)
            if f.default is MISSING or value != f.default:
                out[f.name] = encode(value)
        return out
    if isinstance(node, tuple):
        return [encode(item) for item in node]
    return str(node) if isinstance(node, StrEnum) else node


def decode(value: Any, kinds: Mapping[str, type]) -> Any:
    """The inverse of `encode`. Raises ValueError for an unknown kind or fields that do not fit."""
    if isinstance(value, list):
        return tuple(decode(item, kinds) for item in value)
    if not isinstance(value, dict):
        return value
    kind = kinds.get(cast("str", value.get("node")))
    if kind is None:
        raise ValueError(f"unknown kind {value.get('node')!r}")
    arguments = {k: Type(v) if k == "type" else decode(v, kinds) for k, v in value.items() if k != "node"}
    try:
        return kind(**arguments)
    except TypeError as error:
        raise ValueError(str(error)) from error
