"""The account roles as SQL: which sides an amount has, which accounts a role.

Both come from where they stand already: the table of posting/roles.py and the posting
setups.
"""

from itertools import product

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

# What of a value entry decides its roles, besides the kind of amount.
TYPES = SQL(
    """
    COALESCE(entry.item_ledger_entry_type, '') AS item_type, entry.entry_type,
    COALESCE(entry.variance_type, '') AS variance_type,
    COALESCE(entry.order_id, 0) <> 0 AS has_order,
    COALESCE(entry.counter_account, 0) <> 0 AS has_counter
    """
)
TYPE_NAMES = SQL("item_type, entry_type, variance_type, has_order, has_counter")


def role_tables():
    """Return the tables ``role_side`` and ``mapped_account``, for a WITH clause."""
    return SQL(
        "role_side (%s, kind, place, sign, account_role, balancing_role) "
        "AS (VALUES %s), mapped_account AS (%s)",
        TYPE_NAMES,
        SQL(", ").join(SQL("%s", row) for row in _role_sides()),
        _mapped_accounts(),
    )


def side_of(source):
    """Return the condition that joins amounts of value entries to their sides."""
    return SQL(
        "(side.item_type, side.entry_type, side.variance_type, side.has_order, "
        "side.has_counter, side.kind) = (%(s)s.item_type, %(s)s.entry_type, "
        "%(s)s.variance_type, %(s)s.has_order, %(s)s.has_counter, %(s)s.kind)",
        s=SQL.identifier(source),
    )


def _role_sides():
    """The table of posting/roles.py: a row for each side of each rule.

    A positive amount debits the first side's account and credits the second's, which a
    value entry may name itself.
    """
    for rule in RULES:
        types = [rule.item_ledger_entry_type, rule.entry_type, rule.variance_type]
        names = [name or "" for name in types]
        kind = "expected" if rule.expected else "actual"
        for has_order, has_counter in product((False, True), repeat=2):
            try:
                first, second = roles_for(*rule[:4], has_order)
            except RoleNotAllowed:
                continue
            second = COUNTER_ACCOUNT if has_counter else second
            key = (*names, has_order, has_counter, kind)
            yield (*key, 1, 1, first, second)
            yield (*key, 2, -1, second, first)


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
