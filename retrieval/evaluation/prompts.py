"""What is asked of labelled archives: three sentences a group, and queries about sizes.

The sentences lie in a file of their own that was written before any score.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPrompts:
    """How a label is asked for.

    Attributes
    ----------
    sentences
        A study's score is its mean over these.
    ceilings
        Measured quantities that alone point at the group; a leading "-" where
        small values do.
    """

    sentences: tuple[str, ...]
    ceilings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeQuery:
    """A query about a size.

    Attributes
    ----------
    quantity
        What its score is held against, by rank.
    sign
        1 where more of it should score higher, -1 where lower.
    seen
        What of the quantity images alone can tell.
    unit
        Of the quantity.
    """

    query: str
    quantity: str
    sign: int
    seen: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """All that is asked of one kind of labels."""

    groups: Mapping[str, GroupPrompts]
    sizes: tuple[SizeQuery, ...]

    def of(self, label: str) -> GroupPrompts:
        """How a label is asked for; one that the file does not know, in its own words."""
        return self.groups.get(label, GroupPrompts(sentences=(label,)))


@cache
def acdc() -> Prompts:
    """Read prompts_acdc.toml, which ships with this package."""
    text = files("retrieval.evaluation").joinpath("prompts_acdc.toml").read_text("utf-8")
    told = tomllib.loads(text)
    groups = {
        label: GroupPrompts(sentences=tuple(group["sentences"]), ceilings=tuple(group["ceilings"]))
        for label, group in told["groups"].items()
    }
    return Prompts(
        groups=MappingProxyType(groups), sizes=tuple(SizeQuery(**size) for size in told["sizes"])
    )
