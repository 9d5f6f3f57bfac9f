"""Run the lines, print the table, write ``build/bench.json``.

The parent process builds the database; each group of lines runs in a child process, on
a copy of its own (``--lines``); the workers are children of that (``--work``).
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from . import LINES
from .database import administer, copy_of, drop, start_odoo
from .measure import Line

SCALE = float(os.environ.get("SCALE") or 1)
VALUE_ENTRIES = 1_000_000
RESULT = "result: "
# Seconds after which a group of lines is given up.
PATIENCE = 600


def main(template, base, output):
    """Run everything on copies of ``base``, which is made from ``template``."""
    drop(base)
    administer("CREATE DATABASE {} TEMPLATE {}", base, template)
    lines = []
    try:
        began = time.monotonic()
        built = _child("--build", base)
        if built.returncode:
            raise SystemExit(f"the data can't be built:\n{built.stderr}")
        print(f"The data took {time.monotonic() - began:.0f} s to build.", flush=True)
        for group in LINES:
            with copy_of(base, f"{base}_copy") as database:
                for line in _run(group, database):
                    lines.append(line)
                    print(_text(line), flush=True)
                    Path(output).write_text(_json(lines))
    finally:
        drop(base)
    return 0


def _run(group, database):
    """Return the lines of a group; what fails is a line too."""
    try:
        said = _child("--lines", group, database, timeout=PATIENCE)
        output, failed = said.stdout, ""
        if said.returncode:
            failed = said.stderr.strip() or f"stopped with {said.returncode}"
    except subprocess.TimeoutExpired as late:
        output, failed = (late.stdout or b"").decode(), f"not done after {PATIENCE} s"
    lines = [
        Line(**json.loads(text.removeprefix(RESULT)))
        for text in output.splitlines()
        if text.startswith(RESULT)
    ]
    if failed:
        print(failed, file=sys.stderr)
        reason = failed.splitlines()[-1]
        lines.append(Line(f"{group}: failed, {reason}", bar="runs", holds=False))
    return lines


def _child(*arguments, timeout=None):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def _text(line):
    seconds = "" if line.seconds is None else f"{line.seconds:9.3f} s"
    peak = "" if line.peak_mib is None else f"{line.peak_mib:5.0f} MiB"
    holds = {None: "", True: "holds", False: "FAILS"}[line.holds]
    ratio = "" if line.ratio is None else f"; {line.ratio:.2f} × {line.ratio_to}"
    bar = f"; bar: {line.bar}" if line.bar else ""
    return f"{holds:5} {seconds:>11} {peak:>9}  {line.name}{ratio}{bar}"


def _json(lines):
    return json.dumps(list(map(asdict, lines)), indent=2, ensure_ascii=False) + "\n"


def _build(database):
    start_odoo(database)
    from . import histories
    from .company import make_company
    from .database import environment

    with environment(database, company=False) as env:
        make_company(env)
    histories.write(database, histories.ledgers(int(VALUE_ENTRIES * SCALE)))


def _lines(group, database):
    start_odoo(database)
    module, function = group.split(".")
    measured = getattr(import_module(f"benchmarks.{module}"), function)
    for line in measured(database, SCALE):
        print(RESULT + json.dumps(asdict(line)), flush=True)


def _work(database):
    start_odoo(database)
    from .adjust import work

    work(database)


if __name__ == "__main__":
    commands = {"--build": _build, "--lines": _lines, "--work": _work}
    command = commands.get(sys.argv[1])
    sys.exit(command(*sys.argv[2:]) if command else main(*sys.argv[1:]))
