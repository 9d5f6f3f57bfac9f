"""Adjust Cost: everything at once, and a late bill on a long history."""

import subprocess
import sys

from . import histories
from .database import environment
from .measure import Line, Stopwatch, median, peak_mib, plain_insert

WORKERS = 2  # as many scheduled actions as the addon has
ROUNDS = 7


def everything(database, scale):
    """All products are stale: the workers adjust them, projections included."""
    with Stopwatch() as watch:
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks", "--work", database],
                stdout=subprocess.PIPE,
                text=True,
            )
            for _number in range(WORKERS)
        ]
        said = [worker.communicate()[0] for worker in workers]
    if any(worker.returncode for worker in workers):
        raise RuntimeError("a worker stopped")
    memory, loading = zip(
        *(map(float, text.split()[-2:]) for text in said), strict=True
    )
    seconds = watch.seconds - max(loading)
    with environment(database) as env:
        entries = env["stock.value.entry"]
        total = entries.search_count([("adjustment", "=", False)])
        adjustments = entries.search_count([("adjustment", "=", True)])
        left = env["stock.cost.queue"].search_count([])
        plain = plain_insert(env.cr, "stock_value_entry", "adjustment")
    yield Line(
        f"Adjust Cost: {total:,} value entries, {adjustments:,} adjustments appended, "
        f"{WORKERS} workers",
        seconds,
        seconds / plain,
        "plain INSERT … SELECT of the adjustments",
        sum(memory),
        "≤ 90 s, ≤ 512 MiB, ≥ 400,000 adjustments, nothing left",
        seconds <= 90
        and sum(memory) <= 512
        and adjustments >= 400_000 * min(scale, 1)
        and not left,
    )


def work(database):
    """Adjust what is queued as a scheduled action does; print memory and loading."""
    with Stopwatch() as loading, environment(database) as env:
        env.company.ensure_one()
    with environment(database) as env:
        queue = env["stock.cost.queue"].sudo()
        queue._work()
        env.cr.commit()
    print(peak_mib(), loading.seconds)


def late_bill(database, scale):
    """A bill for the last receipt, on which the last deliveries hang."""
    sizes = [100, max(int(10_000 * scale), 200)]
    for size in sizes:
        histories.write(database, histories.steady(size, histories.MANAGED))
    with environment(database) as env:
        for kind in ("average", "fifo", "lifo", "specific"):
            short, long = (
                median([_bill(env, kind, size) for _round in range(ROUNDS + 1)][1:])
                for size in sizes
            )
            yield Line(
                f"Adjust Cost after one late bill, {sizes[1]:,} entries, {kind}",
                long,
                long / short,
                f"the same with {sizes[0]} entries",
                peak_mib(),
                "≤ 0.050 s and ratio ≤ 1.5",
                long <= 0.050 and long / short <= 1.5,
            )


def _bill(env, kind, size):
    """Record one more cost of the last receipt; return the seconds of the engine."""
    ledger = env["stock.ledger.entry"].sudo()
    receipt = ledger.search(
        [
            ("product_id.default_code", "=", f"{size} moves"),
            ("product_id.categ_id.name", "=", kind),
            ("entry_type", "=", "purchase"),
        ],
        order="id desc",
        limit=1,
    )
    value_entries = (
        env["stock.value.entry"]
        .sudo()
        ._append(
            [
                {
                    "ledger_entry_id": receipt.id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": 11.0,
                    "posting_date": receipt.posting_date,
                    "source_model": "account.move.line",
                    "source_id": 1,
                }
            ]
        )
    )
    env["stock.cost.queue"]._enqueue(value_entries, counted=False)
    env.cr.commit()
    env.invalidate_all()
    # What posting a bill has read of the product and the company anyway.
    receipt.product_id._is_managed()
    receipt.product_id.read(["cost_method", "lot_valuated", "standard_price"])
    env.company.read(["currency_id", "inventory_valuation"])
    receipt.currency_id.read(["rounding"])
    with Stopwatch() as watch:
        env["stock.cost.item"]._adjust_queued(env.company, receipt.product_id)
        env.cr.flush()
    env.cr.commit()
    if ledger.search_count([("product_id.default_code", "=", f"{size} moves")]) < 1:
        raise RuntimeError("nothing was adjusted")
    return watch.seconds
