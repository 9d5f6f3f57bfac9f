"""Deliveries while workers adjust the same products: nobody waits for a worker."""

import statistics
import subprocess
import sys
import time

from .database import environment
from .measure import Line, peak_mib
from .picking import deliver

DELIVERIES = 200


def wait(database, scale):
    """The waiting of deliveries: what they take longer than alone, at the 99th of 100.

    The worker and the deliveries have a processor each; both need PostgreSQL.
    """
    number = max(int(DELIVERIES * scale), 20)
    with environment(database) as env:
        products = env["product.product"].search(
            [("default_code", "=", "bulk"), ("tracking", "=", "none")], order="id desc"
        )
        alone = _durations(env, products[: number // 2])
        worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", "--work", database],
            stdout=subprocess.DEVNULL,
        )
        durations = []
        try:
            _await_work(env)
            while worker.poll() is None and len(durations) < number:
                durations += _durations(env, products[len(durations) :][:1])
        finally:
            worker.kill()
            worker.wait()
        p99 = statistics.quantiles(durations, n=100, method="inclusive")[98]
        waited = max(p99 - statistics.median(alone), 0.0)
        yield Line(
            f"Waiting of deliveries while a worker adjusts: 99th percentile of "
            f"{len(durations)}",
            waited,
            p99 / statistics.median(alone),
            "a delivery while nothing is adjusted",
            peak_mib(),
            "< 0.2 s",
            waited < 0.2,
        )


def _durations(env, products):
    """Return the seconds of validating a delivery of each product."""
    return [deliver(env, product) for product in products]


def _await_work(env):
    """Wait until the worker has adjusted something."""
    for _attempt in range(600):
        env.cr.rollback()
        env.cr.execute("SELECT count(*) FROM stock_value_entry WHERE adjustment")
        if env.cr.fetchone()[0]:
            return
        time.sleep(0.1)
