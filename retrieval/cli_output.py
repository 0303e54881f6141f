"""What `cineseek` prints: JSON for programs, tables for people."""

import json as jsonlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from retrieval.evaluating import Evaluation, GoldEvaluation


def print_evaluation(found: "Evaluation | GoldEvaluation", *, json: bool) -> None:
    """Print scores."""
    if json:
        print_json(found.told())
        return
    for table in found.tables():
        print_table(table.columns, table.rows)
        if table.note:
            typer.echo(table.note)
        typer.echo()
    typer.echo(found.summary(), err=True)


def print_json(value: object) -> None:
    """Print one object."""
    typer.echo(jsonlib.dumps(value))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text under their columns' names."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", show_header=bool(columns))
    for column in columns:
        # What is cut short cannot be asked for.
        width = 24 if column in ("study", "series") else None
        whole = width is not None or column == "chip"
        table.add_column(column, no_wrap=whole, min_width=width)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
