"""The query behind the Inventory – G/L Reconciliation: what each record contributes.

Three kinds of records contribute to an account role, each with rows of its own:

* *costs*: the expected or actual amount of a value entry, under both its roles;
* *postings*: a link of a value entry to a journal item, under the value entry's role;
* *journal items*: what of a posted item on a mapped account no link accounts for.

Every row states ``linked`` beside its causes: what of its amount the other ledger
answers for. It adds up to zero over a role, product, cost location and date, so that
``unexplained = difference - causes - linked`` names the very record that is wrong, and
adds up to the difference less its causes wherever rows are summed.
"""

from odoo.tools import SQL

from ..posting.roles import (
    GENERAL_POSTING_ROLES,
    INVENTORY_POSTING_ROLES,
    RULES,
    RoleNotAllowed,
    roles_for,
)

# The role of an account that a value entry names itself, such as a landed cost's.
COUNTER_ACCOUNT = "counter_account"
# The role of entries whose combination of types the posting rules do not allow.
NO_ROLE = "no_role"

# The roles of stock, in the balance sheet; the others offset them.
STOCK_ROLES = ("inventory", "inventory_interim", "wip")
# In the order an accountant reads them: stock, what it is offset by, variances. What is
# posted by hand on an account that serves several roles shows under the first of them.
REPORT_ROLES = (
    *STOCK_ROLES,
    *GENERAL_POSTING_ROLES,
    *(role for role in INVENTORY_POSTING_ROLES if role not in STOCK_ROLES),
    COUNTER_ACCOUNT,
    NO_ROLE,
)
# Why the ledgers differ; each has a condition of its own, and no two overlap.
CAUSES = (
    "not_posted",
    "expected_not_posted",
    "posted_by_hand",
    "posted_on_other_date",
    "posted_to_other_account",
)


def contributions():
    """Return the SQL of all rows; columns as in ``inventory.gl.reconciliation``."""
    return SQL(
        """
        WITH role_pair (item_ledger_entry_type, entry_type, variance_type, expected,
                        has_order, role_1, role_2) AS (VALUES %(role_pairs)s),
        mapped_account AS (%(mapped_accounts)s),
        linked_line AS NOT MATERIALIZED (%(linked_lines)s),
        contribution AS (%(costs)s UNION ALL %(postings)s UNION ALL %(items)s)
        SELECT
            contribution.id, contribution.company_id, company.currency_id,
            contribution.date, contribution.account_role, contribution.balancing_role,
            contribution.account_id, contribution.cost_location_id,
            contribution.product_id, template.categ_id AS category_id,
            contribution.value_entry_id, contribution.move_line_id,
            contribution.value_entry_amount, contribution.gl_amount,
            contribution.not_posted, contribution.expected_not_posted,
            contribution.posted_by_hand, contribution.posted_on_other_date,
            contribution.posted_to_other_account,
            gl_amount - value_entry_amount AS difference,
            gl_amount - value_entry_amount - %(causes)s - linked AS unexplained,
            CASE
                WHEN gl_amount - value_entry_amount - %(causes)s - linked <> 0
                    THEN 'unexplained'
                %(cause_names)s
                ELSE 'reconciled'
            END AS cause
        FROM contribution
        JOIN res_company company ON company.id = contribution.company_id
        LEFT JOIN product_product product ON product.id = contribution.product_id
        LEFT JOIN product_template template ON template.id = product.product_tmpl_id
        """,
        role_pairs=_role_pairs(),
        mapped_accounts=_mapped_accounts(),
        linked_lines=_linked_lines(),
        costs=_costs(),
        postings=_postings(),
        items=_journal_items(),
        causes=SQL(" - ").join(map(SQL.identifier, CAUSES)),
        cause_names=SQL(" ").join(
            SQL("WHEN %s <> 0 THEN %s", SQL.identifier(cause), cause)
            for cause in CAUSES
        ),
    )


def _role_pairs():
    """The table of posting/roles.py as SQL rows; an empty type is ``''``."""
    rows = []
    for rule in RULES:
        for has_order in (False, True):
            try:
                roles = roles_for(*rule[:4], has_order)
            except RoleNotAllowed:
                continue
            types = [rule.item_ledger_entry_type, rule.entry_type, rule.variance_type]
            rows.append(
                (*(name or "" for name in types), rule.expected, has_order, *roles)
            )
    return SQL(", ").join(SQL("%s", row) for row in rows)


def _role_pair_of(kind):
    """The condition that joins a value entry's amount to its two roles."""
    return SQL(
        """
        role_pair.item_ledger_entry_type = COALESCE(entry.item_ledger_entry_type, '')
        AND role_pair.entry_type = entry.entry_type
        AND role_pair.variance_type = COALESCE(entry.variance_type, '')
        AND role_pair.expected = (%s = 'expected')
        AND role_pair.has_order = (COALESCE(entry.order_id, 0) <> 0)
        """,
        kind,
    )


# The two sides of a value entry's amount: it debits the first role and credits the
# second, unless the value entry names the second account itself.
_SIDES = SQL(
    """
    (VALUES
        (1, COALESCE(role_pair.role_1, %(no_role)s),
            CASE WHEN COALESCE(entry.counter_account, 0) <> 0 THEN %(counter)s
                 ELSE COALESCE(role_pair.role_2, %(no_role)s) END, 1),
        (2, CASE WHEN COALESCE(entry.counter_account, 0) <> 0 THEN %(counter)s
                 ELSE COALESCE(role_pair.role_2, %(no_role)s) END,
            COALESCE(role_pair.role_1, %(no_role)s), -1)
    ) AS side (place, account_role, balancing_role, sign)
    """,
    counter=COUNTER_ACCOUNT,
    no_role=NO_ROLE,
)


def _mapped_accounts():
    """Each company's accounts in the posting setups, with the roles they serve."""
    setups = [
        (setup, role)
        for setup, roles in (
            ("inventory_posting_setup", INVENTORY_POSTING_ROLES),
            ("general_posting_setup", GENERAL_POSTING_ROLES),
        )
        for role in roles
    ]
    return SQL(
        """
        SELECT company_id, account_id, array_agg(role) AS roles,
               (array_agg(role ORDER BY place))[1] AS first_role
        FROM (%s) AS setup (company_id, account_id, role, place)
        WHERE account_id IS NOT NULL
        GROUP BY company_id, account_id
        """,
        SQL(" UNION ").join(
            SQL(
                "SELECT company_id, %s, %s, %s FROM %s",
                SQL.identifier(f"{role}_account_id"),
                role,
                REPORT_ROLES.index(role),
                SQL.identifier(setup),
            )
            for setup, role in setups
        ),
    )


def _linked_lines():
    """Each link's two journal items, with what the link debits (+) or credits (-).

    A positive amount debits the first role's account, a negative one the second's.
    """
    return SQL(
        """
        SELECT link.id, link.company_id, link.value_entry_id, link.kind, side.place,
               side.line_id, side.amount
        FROM stock_value_entry_link link
        CROSS JOIN LATERAL (VALUES
            (CASE WHEN link.amount > 0 THEN 1 ELSE 2 END,
             link.debit_line_id, abs(link.amount)),
            (CASE WHEN link.amount > 0 THEN 2 ELSE 1 END,
             link.credit_line_id, -abs(link.amount))
        ) AS side (place, line_id, amount)
        """
    )


def _costs():
    """Value entries: what no link covers is not posted, or unexplained.

    *Not posted yet* asks the queue. *Expected cost not posted by setup* asks for
    expected cost outside the queue of which nothing was ever posted.
    """
    return SQL(
        """
        SELECT
            entry.id::bigint * 16 + CASE cost.kind WHEN 'actual' THEN 0 ELSE 2 END
                + side.place AS id,
            entry.company_id, entry.posting_date AS date,
            side.account_role, side.balancing_role, NULL::integer AS account_id,
            entry.cost_location_id, entry.product_id,
            entry.id AS value_entry_id, NULL::integer AS move_line_id,
            side.sign * cost.amount AS value_entry_amount, 0::numeric AS gl_amount,
            CASE WHEN queue.id IS NOT NULL
                THEN -side.sign * (cost.amount - COALESCE(posted.amount, 0))
                ELSE 0 END AS not_posted,
            CASE WHEN cost.kind = 'expected' AND queue.id IS NULL
                      AND posted.amount IS NULL AND %(by_setup)s
                THEN -side.sign * cost.amount ELSE 0 END AS expected_not_posted,
            0::numeric AS posted_by_hand, 0::numeric AS posted_on_other_date,
            0::numeric AS posted_to_other_account,
            -side.sign * COALESCE(posted.amount, 0) AS linked
        FROM stock_value_entry entry
        JOIN res_company company ON company.id = entry.company_id
        CROSS JOIN LATERAL (VALUES
            ('actual', entry.cost_amount_actual),
            ('expected', entry.cost_amount_expected)
        ) AS cost (kind, amount)
        LEFT JOIN (
            SELECT value_entry_id, kind, sum(amount) AS amount
            FROM stock_value_entry_link GROUP BY value_entry_id, kind
        ) posted ON posted.value_entry_id = entry.id AND posted.kind = cost.kind
        LEFT JOIN stock_value_entry_queue queue
            ON queue.value_entry_id = entry.id AND queue.kind = cost.kind
        LEFT JOIN role_pair ON %(role_pair)s
        CROSS JOIN LATERAL %(sides)s
        WHERE (cost.amount <> 0 OR posted.amount <> 0)
            AND (side.place = 1 OR role_pair.role_1 IS NOT NULL)
        """,
        by_setup=_expected_cost_not_posted_by_setup(),
        role_pair=_role_pair_of(SQL("cost.kind")),
        sides=_SIDES,
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
                    WHERE link.value_entry_id = other.id AND link.kind = 'expected')
                AND NOT EXISTS (
                    SELECT FROM stock_value_entry_queue queue
                    WHERE queue.value_entry_id = other.id AND queue.kind = 'expected')
        ))
        """
    )


def _postings():
    """Links: the amount stands in the G/L, if its journal item is posted.

    Three rows at most: the posting itself; where its date is not the value entry's, the
    other half of *posted on another date*, on the value entry's date; where its account
    serves another role by now, the other half of *posted to another account*, under
    that role, so that every mapped account counts with its full balance, once.
    """
    return SQL(
        """
        SELECT
            link.id::bigint * 16 + 3 + 2 * half.number + side.place AS id,
            entry.company_id, half.date,
            half.account_role, half.balancing_role, line.account_id,
            entry.cost_location_id, entry.product_id,
            entry.id AS value_entry_id, line.id AS move_line_id,
            0::numeric AS value_entry_amount, half.gl_amount,
            0::numeric AS not_posted, 0::numeric AS expected_not_posted,
            0::numeric AS posted_by_hand,
            half.posted_on_other_date, half.posted_to_other_account, half.linked
        FROM linked_line link
        JOIN stock_value_entry entry ON entry.id = link.value_entry_id
        JOIN account_move_line line ON line.id = link.line_id
        LEFT JOIN role_pair ON %(role_pair)s
        JOIN LATERAL %(sides)s ON side.place = link.place
        LEFT JOIN mapped_account mapped
            ON mapped.company_id = entry.company_id
            AND mapped.account_id = line.account_id
        CROSS JOIN LATERAL (SELECT
            line.parent_state = 'posted' AS posted,
            line.date = entry.posting_date AS same_date,
            side.account_role = ANY(mapped.roles)
                OR side.account_role IN (%(counter)s, %(no_role)s) AS mapped
        ) AS at
        CROSS JOIN LATERAL (VALUES
            (0, line.date, side.account_role, side.balancing_role, TRUE,
                CASE WHEN at.posted AND at.mapped THEN link.amount ELSE 0 END,
                CASE WHEN at.same_date THEN 0 ELSE link.amount END,
                CASE WHEN at.posted AND at.mapped IS NOT TRUE
                    THEN -link.amount ELSE 0 END,
                CASE WHEN at.same_date THEN link.amount ELSE 0 END),
            (1, entry.posting_date, side.account_role, side.balancing_role,
                NOT at.same_date, 0, -link.amount, 0, link.amount),
            (2, line.date, mapped.first_role, NULL,
                at.posted AND NOT at.mapped, link.amount, 0, link.amount, 0)
        ) AS half (number, date, account_role, balancing_role, applies, gl_amount,
                   posted_on_other_date, posted_to_other_account, linked)
        WHERE half.applies AND (side.place = 1 OR role_pair.role_1 IS NOT NULL)
        """,
        role_pair=_role_pair_of(SQL("link.kind")),
        sides=_SIDES,
        counter=COUNTER_ACCOUNT,
        no_role=NO_ROLE,
    )


def _journal_items():
    """Posted items of mapped or linked accounts: what no link accounts for.

    In a journal entry without any link it was *posted by hand*; in one that posts
    value entries nothing explains it.
    """
    return SQL(
        """
        SELECT
            item.id::bigint * 16 + 12 AS id,
            item.company_id, item.date,
            COALESCE(item.first_role, %(counter)s) AS account_role,
            NULL AS balancing_role, item.account_id,
            NULL::integer AS cost_location_id, item.product_id,
            NULL::integer AS value_entry_id, item.id AS move_line_id,
            0::numeric AS value_entry_amount, item.rest AS gl_amount,
            0::numeric AS not_posted, 0::numeric AS expected_not_posted,
            CASE WHEN EXISTS (
                SELECT FROM account_move_line sibling
                JOIN stock_value_entry_link link
                    ON sibling.id IN (link.debit_line_id, link.credit_line_id)
                WHERE sibling.move_id = item.move_id
            ) THEN 0 ELSE item.rest END AS posted_by_hand,
            0::numeric AS posted_on_other_date, 0::numeric AS posted_to_other_account,
            0::numeric AS linked
        FROM (
            SELECT line.id, line.company_id, line.date, line.account_id, line.move_id,
                   line.product_id, mapped.first_role,
                   line.balance - COALESCE(linked.amount, 0) AS rest
            FROM mapped_account mapped
            JOIN account_move_line line
                ON line.account_id = mapped.account_id
                AND line.company_id = mapped.company_id
            LEFT JOIN (
                SELECT line_id, sum(amount) AS amount FROM linked_line GROUP BY line_id
            ) linked ON linked.line_id = line.id
            WHERE line.parent_state = 'posted'
            UNION ALL
            SELECT line.id, line.company_id, line.date, line.account_id, line.move_id,
                   line.product_id, NULL, line.balance - linked.amount AS rest
            FROM (
                SELECT line_id, sum(amount) AS amount FROM linked_line GROUP BY line_id
            ) linked
            JOIN account_move_line line ON line.id = linked.line_id
            WHERE line.parent_state = 'posted'
                AND (line.company_id, line.account_id) NOT IN (
                    SELECT company_id, account_id FROM mapped_account)
        ) item
        WHERE item.rest <> 0
        """,
        counter=COUNTER_ACCOUNT,
    )
