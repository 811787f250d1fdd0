"""What commands say."""

from __future__ import annotations

import typer

from augsynth._printable import printable


def tell(text: str, *, err: bool = False) -> None:
    """Print a text in which there may be names and samples from data: nothing in it steers the terminal."""
    typer.echo(printable(text), err=err)
