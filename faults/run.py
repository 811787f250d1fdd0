"""What goes wrong in long runs, made to go wrong on purpose: a table of faults, by one command.

    python faults/run.py
    python faults/run.py "killed worker" "full disk"

Each fault has a process of its own and a limit of time; what is not handled within it is open.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scenarios import SCENARIOS

HERE = Path(__file__).parent
LIMIT = 400.0  # seconds


def main() -> None:
    """Run those that are named, or all, and print the table; exit code 1 where one is open."""
    wanted = sys.argv[1:] or list(SCENARIOS)
    rows = []
    for name in wanted:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, str(HERE / "scenarios.py"), name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={"OMP_NUM_THREADS": "1", **os.environ},  # of two threads, one waits for the other beside other work
        )
        try:
            said, error = process.communicate(timeout=LIMIT)
            handled = process.returncode == 0
            told = (said if handled else error).strip().splitlines()[-1:] or ["said nothing"]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            handled, told = False, [f"hung: not over after {LIMIT:.0f} s"]
        seconds = round(time.perf_counter() - started, 1)
        rows.append({"fault": name, "handled": handled, "what came": told[0], "seconds": seconds})
        print(f"{'handled' if handled else 'OPEN'}: {name} ({seconds} s)", flush=True)
    table = Table("fault", "", "what came", "s", title="Faults in long runs", title_justify="left")
    for row in rows:
        state = "[green]handled[/]" if row["handled"] else "[red]open[/]"
        table.add_row(str(row["fault"]), state, str(row["what came"]), str(row["seconds"]))
    Console().print(table)
    if not sys.argv[1:]:
        results = {"python": platform.python_version(), "system": platform.platform(), "faults": rows}
        out = HERE.parent / "benchmarks" / "results" / "faults.json"
        out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(any(not row["handled"] for row in rows))


if __name__ == "__main__":
    main()
