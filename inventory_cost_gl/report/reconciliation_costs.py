"""Costs: the amounts of value entries, and why they are not posted."""

from odoo.tools import SQL

from .reconciliation_filters import not_totalled, of_entries, totals_of, within
from .reconciliation_roles import NO_ROLE, TYPE_NAMES, TYPES, side_of


def cost_rows(condition=None, linked=None):
    """The amounts of value entries, and why they are not posted.

    *Not posted yet* asks the queue. *Expected cost not posted by setup* asks for
    expected cost outside the queue of which nothing is posted: never, or its run was
    reversed. What neither claims of an amount less what is posted of it, is
    unexplained. ``linked`` narrows the links that are read to those of the value
    entries.
    """
    return SQL(
        """
        SELECT
            entry.id, entry.company_id, entry.posting_date AS date,
            entry.cost_location_id, entry.product_id, %(types)s,
            cost.kind, cost.amount, COALESCE(cost.posted, 0) AS posted,
            CASE WHEN queue.id IS NOT NULL
                THEN cost.amount - COALESCE(cost.posted, 0) ELSE 0 END AS not_posted,
            CASE WHEN cost.kind = 'expected' AND COALESCE(cost.posted, 0) = 0
                      AND queue.id IS NULL AND %(by_setup)s
                THEN cost.amount ELSE 0 END AS expected_not_posted
        FROM stock_value_entry entry
        JOIN res_company company ON company.id = entry.company_id
        LEFT JOIN (
            SELECT value_entry_id,
                   sum(amount) FILTER (WHERE kind = 'actual') AS actual,
                   sum(amount) FILTER (WHERE kind = 'expected') AS expected
            FROM stock_value_entry_link WHERE %(linked)s GROUP BY value_entry_id
        ) posted ON posted.value_entry_id = entry.id
        CROSS JOIN LATERAL (VALUES
            ('actual', entry.cost_amount_actual, posted.actual),
            ('expected', entry.cost_amount_expected, posted.expected)
        ) AS cost (kind, amount, posted)
        LEFT JOIN stock_value_entry_queue queue
            ON queue.value_entry_id = entry.id AND queue.kind = cost.kind
        WHERE (cost.amount <> 0 OR cost.posted <> 0) AND %(condition)s
        """,
        types=TYPES,
        by_setup=_expected_cost_not_posted_by_setup(),
        condition=condition or SQL("TRUE"),
        linked=linked or SQL("TRUE"),
    )


def cost_sums(filters):
    """The costs within the filters by type: all of them, and what is not posted.

    Only amounts that differ from what is posted of them are looked at one by one, and
    of blocks that are totalled none.
    """
    condition = SQL(
        "%s AND %s", of_entries(filters), within(filters, SQL("entry.posting_date"))
    )
    return SQL(
        """
        SELECT %(types)s, cost.kind, cost.amount, 0 AS posted, 0 AS not_posted,
               0 AS expected_not_posted, 0 AS alarm_count
        FROM (
            SELECT %(types)s, sum(actual) AS actual, sum(expected) AS expected
            FROM (
                SELECT %(types_of_entry)s, entry.cost_amount_actual AS actual,
                       entry.cost_amount_expected AS expected
                FROM stock_value_entry entry WHERE %(condition)s
            ) entry
            GROUP BY %(types)s
        ) sums
        CROSS JOIN LATERAL (VALUES ('actual', actual), ('expected', expected))
            AS cost (kind, amount)
        UNION ALL
        SELECT %(types)s, kind, 0 AS amount, 0 AS posted, not_posted,
               expected_not_posted,
               CASE WHEN amount - posted - not_posted - expected_not_posted <> 0
                   THEN 1 ELSE 0 END AS alarm_count
        FROM (%(open_costs)s) cost
        UNION ALL
        SELECT %(types)s, kind, amount, 0 AS posted, 0 AS not_posted,
               CASE WHEN posted THEN 0 ELSE amount END AS expected_not_posted,
               0 AS alarm_count
        FROM stock_value_entry_total total WHERE debit_line = 0 AND %(totals)s
        """,
        types=TYPE_NAMES,
        totals=totals_of(filters),
        types_of_entry=TYPES,
        condition=condition,
        open_costs=cost_rows(
            SQL("cost.amount <> COALESCE(cost.posted, 0) AND %s", condition),
            not_totalled(filters, SQL("value_entry_id")),
        ),
    )


def _expected_cost_not_posted_by_setup():
    """The company does not post expected cost, or did not while this cost was open.

    Switching the setting on queues the expected cost that is open then. What was
    invoiced before stays unposted; it adds up to zero on its ledger entry.
    """
    return SQL(
        """
        (NOT COALESCE(company.expected_cost_posting, FALSE) OR 0 = (
            SELECT sum(other.cost_amount_expected)
            FROM stock_value_entry other
            WHERE other.ledger_entry_id = entry.ledger_entry_id
                AND NOT EXISTS (
                    SELECT FROM stock_value_entry_link link
                    WHERE link.value_entry_id = other.id AND link.kind = 'expected'
                    HAVING sum(link.amount) <> 0)
                AND NOT EXISTS (
                    SELECT FROM stock_value_entry_queue queue
                    WHERE queue.value_entry_id = other.id AND queue.kind = 'expected')
        ))
        """
    )


COST_ROW = SQL(
    """
    cost.id::bigint * 16 + CASE cost.kind WHEN 'actual' THEN 0 ELSE 2 END
        + COALESCE(side.place, 1) AS id,
    cost.company_id, cost.date, cost.cost_location_id, cost.product_id,
    cost.id AS value_entry_id, NULL::integer AS move_line_id,
    NULL::integer AS account_id
    """
)


def costs(source, columns):
    """Costs under the roles of both their sides."""
    return SQL(
        """
        SELECT
            %(columns)s,
            COALESCE(side.account_role, %(no_role)s) AS account_role,
            COALESCE(side.balancing_role, %(no_role)s) AS balancing_role,
            COALESCE(side.sign, 1) * cost.amount AS value_entry_amount,
            0::numeric AS gl_amount,
            -COALESCE(side.sign, 1) * cost.not_posted AS not_posted,
            -COALESCE(side.sign, 1) * cost.expected_not_posted AS expected_not_posted,
            0::numeric AS posted_by_hand, 0::numeric AS posted_on_other_date,
            0::numeric AS posted_to_other_account,
            -COALESCE(side.sign, 1) * cost.posted AS linked
        FROM (%(source)s) cost
        LEFT JOIN role_side side ON %(side)s
        """,
        columns=columns,
        source=source,
        no_role=NO_ROLE,
        side=side_of("cost"),
    )
