"""The query behind the Inventory – G/L Reconciliation: what each record contributes.

Three kinds of records contribute to an account role, each with rows of its own:

* *costs*: the expected or actual amount of a value entry, under both its roles;
* *postings*: a link of a value entry to a journal item, under the value entry's role;
* *journal items*: what of a posted item on a mapped account no link accounts for.

Every row states ``linked`` beside its causes: what of its amount the other ledger
answers for. It adds up to zero over a role, product, cost location and date. So a row's
difference, less its causes, is *unexplained* and names the very record that is wrong;
and the rows add up to G/L less value entries wherever they are summed.
"""

from odoo.tools import SQL

from .reconciliation_costs import COST_ROW, cost_rows, cost_sums, costs
from .reconciliation_filters import of_items, within
from .reconciliation_items import ITEM_ALARM, ITEM_ROW, journal_items, linked_lines
from .reconciliation_postings import (
    POSTING_ALARM,
    POSTING_ROW,
    posting_rows,
    posting_sums,
    postings,
)
from .reconciliation_roles import role_tables

# Why the ledgers differ; each has a condition of its own, and no two overlap.
CAUSES = (
    "not_posted",
    "expected_not_posted",
    "posted_by_hand",
    "posted_on_other_date",
    "posted_to_other_account",
)
_AMOUNTS = ("value_entry_amount", "gl_amount", *CAUSES, "linked")


def contributions():
    """Return the SQL of all rows; columns as in ``inventory.gl.reconciliation``."""
    return SQL(
        """
        WITH %(tables)s, linked_line AS (%(linked)s), contribution AS (
            %(costs)s UNION ALL %(postings)s UNION ALL %(items)s
        )
        SELECT
            contribution.*, company.currency_id, template.categ_id AS category_id,
            gl_amount - value_entry_amount - linked AS difference,
            %(unexplained)s AS unexplained,
            CASE WHEN %(unexplained)s <> 0 THEN 'unexplained' %(causes)s
                 ELSE 'reconciled' END AS cause
        FROM contribution
        JOIN res_company company ON company.id = contribution.company_id
        LEFT JOIN product_product product ON product.id = contribution.product_id
        LEFT JOIN product_template template ON template.id = product.product_tmpl_id
        """,
        tables=role_tables(),
        linked=linked_lines(),
        costs=costs(cost_rows(), COST_ROW),
        postings=postings(posting_rows(), POSTING_ROW),
        items=journal_items(ITEM_ROW),
        unexplained=_UNEXPLAINED,
        causes=SQL(" ").join(
            SQL("WHEN %s <> 0 THEN %s", SQL.identifier(cause), cause)
            for cause in CAUSES
        ),
    )


def totals(filters):
    """Return the SQL of the sums by account role and balancing role.

    The same costs, postings and journal items as in ``contributions``, summed by their
    types before they are spread over roles: the ledgers are read once, and where there
    are totals of value entries these instead. Columns: role,
    balancing role, value entries, G/L, causes, number of records nothing explains.
    """
    return SQL(
        """
        WITH %(tables)s, linked_line AS (%(linked)s), contribution AS (
            %(costs)s UNION ALL %(postings)s UNION ALL %(items)s
        )
        SELECT account_role, balancing_role, %(sums)s, sum(alarm_count)
        FROM contribution
        GROUP BY account_role, balancing_role
        """,
        tables=role_tables(),
        linked=linked_lines(filters),
        costs=costs(cost_sums(filters), SQL("cost.alarm_count")),
        postings=SQL(
            "%s AND %s",
            postings(posting_sums(filters), POSTING_ALARM),
            within(filters, SQL("half.date")),
        ),
        items=SQL(
            "%s AND %s",
            journal_items(ITEM_ALARM),
            of_items(filters),
        ),
        sums=SQL(", ").join(
            SQL("sum(%s)", SQL.identifier(amount)) for amount in _AMOUNTS[:-1]
        ),
    )


_UNEXPLAINED = SQL(
    "gl_amount - value_entry_amount - linked - %s",
    SQL(" - ").join(map(SQL.identifier, CAUSES)),
)
