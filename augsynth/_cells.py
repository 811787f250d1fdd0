"""Cells of tables that people open in spreadsheets, where what begins like a formula is run as one."""

from __future__ import annotations

import re
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")


def safe_cell(value: Any) -> Any:
    """``value`` with an apostrophe before it where a spreadsheet would take it for a formula (OWASP, "CSV injection");
    numbers stay. :func:`plain_cell` takes it off again."""
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.match(value):
        return f"'{value}"
    return value


def plain_cell(value: Any) -> Any:
    """``value`` as it was before :func:`safe_cell`."""
    if isinstance(value, str) and value.startswith("'") and _FORMULA.match(value):
        return value[1:]
    return value
