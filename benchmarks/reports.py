"""What accountants look at: value at a date, reconciliation with the G/L."""

from .database import environment
from .measure import Line, Stopwatch, median, peak_mib

ROUNDS = 5
# Early, in the middle and late in the history.
DAYS = ("2025-02-28", "2025-07-03", "2025-11-30")


def valuation(database, scale):
    """The value of every product at dates in the past: the slowest of them."""
    with environment(database) as env:
        count = env["stock.value.entry"].search_count([])
        _vacuum(env)
        products = env["product.product"].search([("default_code", "=", "bulk")])
        seconds = max(
            _median(env, products.with_context(to_date=day)._ledger_values)
            for day in DAYS
        )
        plain = _median(
            env,
            lambda: env.cr.execute(
                "SELECT sum(cost_amount_actual + "
                "cost_amount_expected) FROM stock_value_entry"
            ),
        )
        yield Line(
            f"Valuation at any date: {count:,} value entries, "
            f"{len(products):,} products",
            seconds,
            seconds / plain,
            "plain sum of all value entries",
            peak_mib(),
            "≤ 0.3 s",
            seconds <= 0.3,
        )


def reconciliation(database, scale):
    """Both ledgers in full, with causes; and the list and pivot of it."""
    with environment(database) as env:
        run = env["inventory.cost.run"].sudo()
        run = run.create(
            {**run._prepare_posting(env.company), "granularity": "posting_group"}
        )
        run._run_posting_in_steps()
        blocks = env["stock.value.entry.block"].sudo()
        with Stopwatch() as watch:
            blocks._total_blocks()
            env.cr.commit()
        _vacuum(env)
        count = env["stock.value.entry"].search_count([])
        report = env["inventory.gl.reconciliation"].sudo()
        seconds = _median(env, lambda: report._summary(env.company))
        explained = report._summary(env.company).fully_explained
        plain = _median(
            env,
            lambda: env.cr.execute(
                "SELECT count(*), sum(amount) FROM stock_value_entry_link"
            ),
        )
        yield Line(
            f"Reconciliation with causes: {count:,} value entries",
            seconds,
            seconds / plain,
            "plain sum of all links",
            peak_mib(),
            "≤ 1 s, nothing unexplained",
            seconds <= 1 and explained,
        )
        yield Line(
            f"Totals for the reconciliation, by night: {count:,} value entries",
            watch.seconds,
            watch.seconds / plain,
            "plain sum of all links",
            peak_mib(),
        )
        domain = report._filter_domain(env.company)
        for name, screen in (
            ("first page of the list", lambda: report.search_read(domain, limit=80)),
            (
                "pivot by role",
                lambda: report.formatted_read_group(
                    domain, ["account_role"], ["difference:sum"]
                ),
            ),
        ):
            seconds = _median(env, screen, rounds=0)
            yield Line(
                f"Reconciliation, {name}: {count:,} value entries",
                seconds,
                seconds / plain,
                "plain sum of all links",
                peak_mib(),
            )


def _vacuum(env):
    """Do what autovacuum does minutes after a bulk load."""
    env.cr.commit()
    env.cr._cnx.autocommit = True
    env.cr._obj.execute("VACUUM ANALYZE")
    env.cr._cnx.autocommit = False


def _median(env, action, rounds=ROUNDS):
    """Return the median of so many times, the first left out; 0: of the only one."""
    durations = []
    for _round in range(rounds + 1):
        env.invalidate_all()
        with Stopwatch() as watch:
            action()
        durations.append(watch.seconds)
    return median(durations[1:] or durations)
