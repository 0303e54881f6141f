"""How tuples of floats and words of a closed set are kept in a column."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, String, TypeDecorator
from sqlalchemy.engine import Dialect


class Floats(TypeDecorator[tuple[float, ...]]):
    """A tuple of floats as a JSON list; every float64 comes back exactly."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: Sequence[float] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> list[float] | None:
        """Store whole numbers as floats too, so that equal tuples are equal rows."""
        return None if value is None else [float(x) for x in value]

    def process_result_value(
        self,
        value: Sequence[float] | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> tuple[float, ...] | None:
        """Return a tuple."""
        return None if value is None else tuple(value)


class Word(TypeDecorator[Any]):
    """A member of a StrEnum, stored as its value."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__(length=40)
        self.kind = kind

    def process_bind_param(
        self,
        value: StrEnum | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> str | None:
        """Store the plain text."""
        return None if value is None else str(self.kind(value))

    def process_result_value(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> StrEnum | None:
        """Return the member."""
        return None if value is None else self.kind(value)
