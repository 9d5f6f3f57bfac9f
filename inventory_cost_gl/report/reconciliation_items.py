"""Journal items: what stands in the G/L that no link accounts for."""

from odoo.tools import SQL

from .reconciliation_filters import not_totalled
from .reconciliation_roles import COUNTER_ACCOUNT

ITEM_ROW = SQL(
    """
    item.id::bigint * 16 + 12 AS id, item.company_id, item.date,
    NULL::integer AS cost_location_id, item.product_id,
    NULL::integer AS value_entry_id, item.id AS move_line_id, item.account_id
    """
)
ITEM_ALARM = SQL("CASE WHEN item.by_hand THEN 0 ELSE 1 END AS alarm_count")


def journal_items(columns):
    """Posted items of mapped or linked accounts, as far as no link accounts for them.

    In a journal entry of no run and without any link they were *posted by hand*; in one
    that posts value entries nothing explains them.
    """
    return SQL(
        """
        SELECT
            %(columns)s,
            COALESCE(item.first_role, %(counter)s) AS account_role,
            NULL AS balancing_role,
            0::numeric AS value_entry_amount, item.rest AS gl_amount,
            0::numeric AS not_posted, 0::numeric AS expected_not_posted,
            CASE WHEN item.by_hand THEN item.rest ELSE 0 END AS posted_by_hand,
            0::numeric AS posted_on_other_date, 0::numeric AS posted_to_other_account,
            0::numeric AS linked
        FROM (
            SELECT line.*, line.balance - COALESCE(linked.amount, 0) AS rest,
                   NOT EXISTS (
                       SELECT FROM inventory_cost_run_journal_entry_rel run
                       WHERE run.move_id = line.move_id
                   ) AND NOT EXISTS (
                       SELECT FROM account_move_line sibling
                       JOIN stock_value_entry_link link
                           ON sibling.id IN (link.debit_line_id, link.credit_line_id)
                       WHERE sibling.move_id = line.move_id
                   ) AS by_hand
            FROM (%(lines)s) line
            LEFT JOIN linked_line linked ON linked.line_id = line.id
            WHERE line.balance <> COALESCE(linked.amount, 0)
        ) item
        WHERE TRUE
        """,
        columns=columns,
        counter=COUNTER_ACCOUNT,
        lines=_LINES_IN_QUESTION,
    )


# Posted journal items of mapped accounts, and those of other accounts that are linked.
_LINES_IN_QUESTION = SQL(
    """
    SELECT line.id, line.company_id, line.date, line.account_id, line.product_id,
           line.move_id, line.balance, mapped.first_role
    FROM mapped_account mapped
    JOIN account_move_line line
        ON line.account_id = mapped.account_id
        AND line.company_id = mapped.company_id
        AND line.parent_state = 'posted'
    UNION ALL
    SELECT line.id, line.company_id, line.date, line.account_id, line.product_id,
           line.move_id, line.balance, NULL AS first_role
    FROM linked_line
    JOIN account_move_line line
        ON line.id = linked_line.line_id AND line.parent_state = 'posted'
    WHERE (line.company_id, line.account_id) NOT IN (
        SELECT company_id, account_id FROM mapped_account)
    """
)


def linked_lines(filters=None):
    """Each linked journal item with the sum of its links; ``filters`` name blocks."""
    return SQL(
        """
        SELECT line.id AS line_id, sum(line.amount) AS amount
        FROM (
            SELECT debit_line_id, credit_line_id, sum(abs(amount)) AS amount
            FROM stock_value_entry_link WHERE %s
            GROUP BY debit_line_id, credit_line_id
            UNION ALL
            SELECT debit_line, credit_line, abs(amount)
            FROM stock_value_entry_total WHERE debit_line <> 0 AND block = ANY(%s)
        ) pair
        CROSS JOIN LATERAL (VALUES
            (pair.debit_line_id, pair.amount), (pair.credit_line_id, -pair.amount)
        ) AS line (id, amount)
        GROUP BY line.id
        """,
        not_totalled(filters, SQL("value_entry_id")) if filters else SQL("TRUE"),
        list(filters.blocks) if filters else [],
    )
