"""The account role table, cell by cell."""
# ruff: noqa: E501

from itertools import product

import pytest
from posting.roles import (
    GENERAL_POSTING_ROLES,
    INVENTORY_POSTING_ROLES,
    ROLES,
    RULES,
    ExpectedCostNotAllowed,
    OrderMissing,
    RoleNotAllowed,
    roles_for,
)

ITEM_LEDGER_ENTRY_TYPES = (
    "purchase",
    "sale",
    "positive_adjustment",
    "negative_adjustment",
    "transfer",
    "consumption",
    "output",
    None,
)
ENTRY_TYPES = ("direct_cost", "indirect_cost", "variance", "revaluation", "rounding")
VARIANCE_TYPES = (
    None,
    "purchase",
    "material",
    "capacity",
    "subcontracted",
    "capacity_overhead",
    "manufacturing_overhead",
)
CELLS = list(
    product(ITEM_LEDGER_ENTRY_TYPES, ENTRY_TYPES, VARIANCE_TYPES, (False, True))
)

# Business Central's table, written down independently of the rules: the types of stock
# ledger entry (p, s, + and -, t, c, o; k = capacity), value entry type, expected or
# actual → both accounts.
TABLE = """
p    direct_cost                        E inventory_interim accrual_interim
p    direct_cost                        A inventory         direct_cost_applied
p    indirect_cost                      A inventory         overhead_applied
p    variance/purchase                  A inventory         purchase_variance
p    revaluation                        E inventory_interim accrual_interim
s    direct_cost                        E inventory_interim cogs_interim
s    direct_cost                        A inventory         cogs
s    revaluation                        E inventory_interim cogs_interim
+-t  direct_cost                        E inventory_interim cogs_interim
+-t  direct_cost                        A inventory         inventory_adjustment
c    direct_cost                        A inventory         wip
o    direct_cost                        E inventory_interim wip
o    direct_cost                        A inventory         wip
o    indirect_cost                      A inventory         overhead_applied
o    variance/material                  A inventory         material_variance
o    variance/capacity                  A inventory         capacity_variance
o    variance/subcontracted             A inventory         subcontracted_variance
o    variance/capacity_overhead         A inventory         capacity_overhead_variance
o    variance/manufacturing_overhead    A inventory         manufacturing_overhead_variance
o    revaluation                        E inventory_interim wip
ps+-tco revaluation                     A inventory         inventory_adjustment
ps+-tco rounding                        A inventory         inventory_adjustment
k    direct_cost                        A wip               direct_cost_applied
k    indirect_cost                      A wip               overhead_applied
"""
LETTERS = dict(zip("ps+-tcok", ITEM_LEDGER_ENTRY_TYPES, strict=True))


def expected_table():
    """Return the table above as a mapping from cell to roles."""
    cells = {}
    for row in TABLE.split("\n")[1:-1]:
        letters, entry_type, column, role1, role2 = row.split()
        entry_type, _, variance_type = entry_type.partition("/")
        for letter in letters:
            cell = (LETTERS[letter], entry_type, variance_type or None, column == "E")
            cells[cell] = (role1, role2)
    return cells


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_every_cell_is_listed_or_refused(cell):
    table = expected_table()
    if cell in table:
        assert roles_for(*cell, order=True) == table[cell]
    else:
        with pytest.raises(RoleNotAllowed):
            roles_for(*cell, order=True)


def test_the_rules_are_the_table():
    assert {rule[:4] for rule in RULES} == set(expected_table())
    assert len(RULES) == len({rule[:4] for rule in RULES})


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_work_in_process_needs_an_order(cell):
    roles = expected_table().get(cell)
    if roles and "wip" in roles:
        with pytest.raises(OrderMissing):
            roles_for(*cell, order=False)
    elif roles:
        assert roles_for(*cell, order=False) == roles


def test_expected_cost_where_only_actual_cost_is_allowed():
    with pytest.raises(ExpectedCostNotAllowed):
        roles_for("purchase", "indirect_cost", None, True, order=False)
    with pytest.raises(RoleNotAllowed) as refused:
        roles_for("sale", "indirect_cost", None, True, order=False)
    assert refused.type is RoleNotAllowed


@pytest.mark.parametrize("empty", [None, False, ""])
def test_empty_types_may_come_from_anywhere(empty):
    assert roles_for(empty, "direct_cost", empty, 0, order=7) == (
        "wip",
        "direct_cost_applied",
    )


def test_each_role_has_one_setup_and_a_use():
    assert len(ROLES) == len(set(ROLES)) == 15
    assert not set(INVENTORY_POSTING_ROLES) & set(GENERAL_POSTING_ROLES)
    assert {role for rule in RULES for role in (rule.role1, rule.role2)} == set(ROLES)
