"""Runs scenario files on the plain cost rules: ``scenarios_costing.py DIR``.

One line per file, ``ok ID`` or ``FAIL ID: what differs``, at the end ``N passed,
M failed``. Exit status 1 if any failed.
"""

import sys
from pathlib import Path

ADDON = Path(__file__).resolve().parents[1] / "inventory_cost_gl"
sys.path[:0] = [str(ADDON), str(ADDON / "tests" / "costing")]

from scenario_runner import load, run  # noqa: E402


def failure(path):
    """What differs in a scenario file, None if nothing does."""
    try:
        run(load(path))
    except AssertionError as error:
        return str(error)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        # a scenario the runner cannot read fails its own file, not the run
        return f"{type(error).__name__}: {error}"
    return None


def main(folder):
    """Run every scenario under a folder; the number of failures."""
    files = sorted(Path(folder).rglob("*.json"))
    failed = 0
    for path in files:
        differs = failure(path)
        failed += differs is not None
        print(f"FAIL {path.stem}: {differs}" if differs else f"ok {path.stem}")
    print(f"{len(files) - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: scenarios_costing.py DIR")
    sys.exit(1 if main(sys.argv[1]) else 0)
