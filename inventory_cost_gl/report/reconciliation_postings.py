"""Postings: what of value entries stands in the G/L."""

from odoo.tools import SQL

from .reconciliation_filters import not_totalled, of_entries, totals_of
from .reconciliation_roles import COUNTER_ACCOUNT, NO_ROLE, TYPE_NAMES, TYPES, side_of


def posting_rows():
    """The links of value entries to journal items."""
    return SQL(
        """
        SELECT
            link.id, link.kind, link.amount, link.debit_line_id, link.credit_line_id,
            1 AS number, entry.id AS value_entry_id, entry.company_id,
            entry.posting_date, entry.cost_location_id, entry.product_id, %s
        FROM stock_value_entry_link link
        JOIN stock_value_entry entry ON entry.id = link.value_entry_id
        """,
        TYPES,
    )


def posting_sums(filters):
    """The links within the filters, summed by journal items, date and type."""
    return SQL(
        """
        SELECT
            kind, sum(amount) AS amount, debit_line_id, credit_line_id,
            count(*) AS number, company_id, posting_date, %(types)s
        FROM (%(postings)s WHERE %(condition)s) posting
        GROUP BY kind, amount > 0, debit_line_id, credit_line_id, company_id,
            posting_date, %(types)s
        UNION ALL
        SELECT kind, amount, debit_line, credit_line, number, company_id, posting_date,
               %(types)s
        FROM stock_value_entry_total total WHERE debit_line <> 0 AND %(totals)s
        """,
        types=TYPE_NAMES,
        totals=totals_of(filters._replace(date_from=None, date_to=None)),
        postings=posting_rows(),
        condition=SQL(
            "%s AND %s",
            of_entries(filters),
            not_totalled(filters, SQL("link.value_entry_id")),
        ),
    )


POSTING_ROW = SQL(
    """
    posting.id::bigint * 16 + 4 + 2 * half.number + link.place AS id,
    posting.company_id, half.date, posting.cost_location_id, posting.product_id,
    posting.value_entry_id, line.id AS move_line_id, line.account_id
    """
)
POSTING_ALARM = SQL(
    """
    CASE WHEN half.gl_amount - half.linked - half.posted_on_other_date
              - half.posted_to_other_account <> 0
        THEN posting.number ELSE 0 END AS alarm_count
    """
)


def postings(source, columns):
    """Links, if their journal items are posted, under the roles of both their sides.

    Three rows at most for each side: the posting itself; where its date is not the
    value entry's, the other half of *posted on another date*, on the value entry's
    date; where its account serves another role by now, the other half of *posted to
    another account*, under that role, so that every mapped account counts with its
    full balance, once.
    """
    return SQL(
        """
        SELECT
            %(columns)s,
            half.account_role, half.balancing_role,
            0::numeric AS value_entry_amount, half.gl_amount,
            0::numeric AS not_posted, 0::numeric AS expected_not_posted,
            0::numeric AS posted_by_hand,
            half.posted_on_other_date, half.posted_to_other_account, half.linked
        FROM (%(source)s) posting
        CROSS JOIN LATERAL %(lines)s
        JOIN account_move_line line ON line.id = link.line_id
        LEFT JOIN role_side side ON side.place = link.place AND %(side)s
        LEFT JOIN mapped_account mapped
            ON mapped.company_id = posting.company_id
            AND mapped.account_id = line.account_id
        CROSS JOIN LATERAL (SELECT
            line.parent_state = 'posted' AS posted,
            line.date = posting.posting_date AS same_date,
            COALESCE(side.account_role, %(no_role)s) AS account_role,
            COALESCE(side.balancing_role, %(no_role)s) AS balancing_role,
            COALESCE(side.account_role, %(no_role)s) IN (%(counter)s, %(no_role)s)
                OR side.account_role = ANY(mapped.roles) AS mapped
        ) AS at
        CROSS JOIN LATERAL (VALUES
            (0, line.date, at.account_role, at.balancing_role, TRUE,
                CASE WHEN at.posted AND at.mapped THEN link.amount ELSE 0 END,
                CASE WHEN at.same_date THEN 0 ELSE link.amount END,
                CASE WHEN at.posted AND at.mapped IS NOT TRUE
                    THEN -link.amount ELSE 0 END,
                CASE WHEN at.same_date THEN link.amount ELSE 0 END),
            (1, posting.posting_date, at.account_role, at.balancing_role,
                NOT at.same_date, 0, -link.amount, 0, link.amount),
            (2, line.date, mapped.first_role, NULL,
                at.posted AND NOT at.mapped, link.amount, 0, link.amount, 0)
        ) AS half (number, date, account_role, balancing_role, applies, gl_amount,
                   posted_on_other_date, posted_to_other_account, linked)
        WHERE half.applies AND (side.place IS NOT NULL OR link.place = 1)
        """,
        columns=columns,
        source=source,
        lines=_LINES,
        side=side_of("posting"),
        counter=COUNTER_ACCOUNT,
        no_role=NO_ROLE,
    )


# A link's two journal items, with what it debits (+) or credits (-) them, and the side
# of the value entry they stand for: a negative amount turns the sides round.
_LINES = SQL(
    """
    (VALUES
        (CASE WHEN posting.amount > 0 THEN 1 ELSE 2 END,
         posting.debit_line_id, abs(posting.amount)),
        (CASE WHEN posting.amount > 0 THEN 2 ELSE 1 END,
         posting.credit_line_id, -abs(posting.amount))
    ) AS link (place, line_id, amount)
    """
)
