"""A line of the table, and how it is measured."""

import resource
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Line:
    """What one line of the table says.

    ``ratio``: to what ``ratio_to`` names, measured in the same run. ``bar``: what must
    hold, in words; ``holds``: whether it does (None: there is no bar).
    ``peak_mib``: of the Python processes at work, PostgreSQL apart.
    """

    name: str
    seconds: float | None = None
    ratio: float | None = None
    ratio_to: str = ""
    peak_mib: float | None = None
    bar: str = ""
    holds: bool | None = None


class Stopwatch:
    """The seconds of a ``with`` block."""

    seconds = 0.0

    def __enter__(self):
        self.began = time.perf_counter()
        return self

    def __exit__(self, *exc_info):
        self.seconds = time.perf_counter() - self.began


def median(durations):
    """Return the median of durations, which a busy moment does not move."""
    return statistics.median(durations)


def peak_mib():
    """Return the most memory this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def plain_insert(cr, table, where, columns="*"):
    """Return the seconds of a plain INSERT … SELECT of rows that are there already.

    The rows get new ids; they are rolled back afterwards.
    """
    with rolled_back(cr):
        cr.execute(
            f"CREATE TEMP TABLE plain ON COMMIT DROP AS SELECT {columns} "
            f"FROM {table} WHERE {where}"
        )
        cr.execute(f"UPDATE plain SET id = nextval('{table}_id_seq')")
        cr.execute("ANALYZE plain")
        with Stopwatch() as watch:
            cr.execute(f"INSERT INTO {table} SELECT * FROM plain")
    return watch.seconds


@contextmanager
def rolled_back(cr):
    """Undo at the end what is done within."""
    cr.execute("SAVEPOINT benchmark")
    try:
        yield
    finally:
        cr.execute("ROLLBACK TO SAVEPOINT benchmark")
