"""Post Inventory Cost to G/L, in each detail."""

from odoo import Command

from .database import environment
from .measure import Line, Stopwatch, peak_mib, plain_insert

# Value entries that are posted where a journal item stands for each of them.
SAMPLE = 10_000
PLAIN_MOVES = 300


def posting_group(database, scale):
    """A pair of lines for each date and posting groups: everything there is."""
    _fill_ledger(database, scale)
    yield from _post(database, "posting_group", None, 60)


def document(database, scale):
    """A pair of lines for each document."""
    _fill_ledger(database, scale)
    yield from _post(database, "document", int(2 * SAMPLE * scale))


def entry(database, scale):
    """A pair of lines for each value entry, against plain journal entries."""
    plain = _fill_ledger(database, scale)
    yield from _post(database, "entry", int(SAMPLE * scale), plain=plain)


def _fill_ledger(database, scale):
    """Post plain journal entries; return the journal items per second.

    No company's ledger is empty, which PostgreSQL would go on believing.
    """
    number = max(int(PLAIN_MOVES * scale), 20)
    with environment(database) as env:
        with Stopwatch() as watch:
            _plain_moves(env, number)
        env.cr.execute("ANALYZE account_move, account_move_line")
        env.cr.commit()
    return 2 * number / watch.seconds


def _plain_moves(env, number):
    """Create and post two-line journal entries, one by one as documents do."""
    journal = env.company.inventory_cost_journal_id
    accounts = env["account.account"].search([("code", "=like", "77%")], limit=2)
    for amount in range(1, number + 1):
        move = env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": "2025-06-30",
                "line_ids": [
                    Command.create({"account_id": accounts[0].id, "debit": amount}),
                    Command.create({"account_id": accounts[1].id, "credit": amount}),
                ],
            }
        )
        move.action_post()
    env.cr.commit()


def _post(database, granularity, limit, seconds_bar=None, plain=None):
    with environment(database) as env:
        if limit:
            _keep_queued(env, limit)
        run = env["inventory.cost.run"].sudo()
        run = run.create(
            {**run._prepare_posting(env.company), "granularity": granularity}
        )
        env.cr.commit()
        with Stopwatch() as watch:
            run._run_posting_in_steps()
            env.cr.commit()
        left = env["stock.value.entry.queue"].search_count([])
        items, peak = run.journal_entry_ids.line_ids, peak_mib()
        sql = plain_insert(
            env.cr, "stock_value_entry_link", f"run_id = {run.id}"
        ) + plain_insert(
            env.cr,
            "account_move_line",
            "move_id IN (SELECT move_id FROM inventory_cost_run_journal_entry_rel "
            f"WHERE run_id = {run.id})",
        )
        name = {"posting_group": "posting group and day"}.get(granularity, granularity)
        rate = len(items) / watch.seconds
        yield Line(
            f"Post per {name}: {run.entry_count:,} value entries "
            f"({run.entry_count / watch.seconds:,.0f}/s), {len(items):,} journal items "
            f"({rate:,.0f}/s)",
            watch.seconds,
            watch.seconds / sql,
            "plain INSERT … SELECT of the same links and journal items",
            peak,
            f"≤ {seconds_bar:g} s" if seconds_bar else "",
            not left and not run.skipped_count and watch.seconds <= seconds_bar
            if seconds_bar
            else None,
        )
        if plain:
            yield Line(
                f"Post per {name}: journal items per second",
                watch.seconds,
                rate / plain,
                "journal items per second of plain two-line entries",
                peak,
                "≥ 4 ×",
                rate >= 4 * plain,
            )


def _keep_queued(env, limit):
    """Take all but the first value entries off the queue."""
    env.cr.execute(
        """
        DELETE FROM stock_value_entry_queue WHERE id NOT IN (
            SELECT id FROM stock_value_entry_queue ORDER BY product_id, id LIMIT %s)
        """,
        [limit],
    )
