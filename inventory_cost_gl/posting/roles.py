"""Which two accounts a value entry is posted to: the account roles.

A positive amount debits the first role's account and credits the second's; a negative
amount the other way round. The posting setups give each role its account, in the field
``<role>_account_id``.
"""

from typing import NamedTuple

# The roles of inventory.posting.setup (cost location × inventory posting group).
INVENTORY_POSTING_ROLES = (
    "inventory",
    "inventory_interim",
    "wip",
    "material_variance",
    "capacity_variance",
    "subcontracted_variance",
    "capacity_overhead_variance",
    "manufacturing_overhead_variance",
)
# The roles of general.posting.setup (business × product posting group).
GENERAL_POSTING_ROLES = (
    "cogs",
    "cogs_interim",
    "inventory_adjustment",
    "direct_cost_applied",
    "overhead_applied",
    "accrual_interim",
    "purchase_variance",
)
ROLES = INVENTORY_POSTING_ROLES + GENERAL_POSTING_ROLES


class RoleNotAllowed(Exception):
    """The combination of entry types is not in the table."""


class ExpectedCostNotAllowed(RoleNotAllowed):
    """The entry types are in the table, but not with expected cost."""


class OrderMissing(RoleNotAllowed):
    """Work in process belongs to an order, and the entry names none."""


class Rule(NamedTuple):
    """A line of the table; ``item_ledger_entry_type`` None is capacity."""

    item_ledger_entry_type: str | None
    entry_type: str
    variance_type: str | None
    expected: bool
    role1: str
    role2: str


_ACTUAL, _EXPECTED = False, True
# fmt: off
# ruff: noqa: E501
RULES = (
    Rule("purchase", "direct_cost", None, _EXPECTED, "inventory_interim", "accrual_interim"),
    Rule("purchase", "direct_cost", None, _ACTUAL, "inventory", "direct_cost_applied"),
    Rule("purchase", "indirect_cost", None, _ACTUAL, "inventory", "overhead_applied"),
    Rule("purchase", "variance", "purchase", _ACTUAL, "inventory", "purchase_variance"),
    Rule("purchase", "revaluation", None, _EXPECTED, "inventory_interim", "accrual_interim"),
    Rule("purchase", "revaluation", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("purchase", "rounding", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("sale", "direct_cost", None, _EXPECTED, "inventory_interim", "cogs_interim"),
    Rule("sale", "direct_cost", None, _ACTUAL, "inventory", "cogs"),
    Rule("sale", "revaluation", None, _EXPECTED, "inventory_interim", "cogs_interim"),
    Rule("sale", "revaluation", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("sale", "rounding", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("positive_adjustment", "direct_cost", None, _EXPECTED, "inventory_interim", "cogs_interim"),
    Rule("positive_adjustment", "direct_cost", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("positive_adjustment", "revaluation", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("positive_adjustment", "rounding", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("negative_adjustment", "direct_cost", None, _EXPECTED, "inventory_interim", "cogs_interim"),
    Rule("negative_adjustment", "direct_cost", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("negative_adjustment", "revaluation", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("negative_adjustment", "rounding", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("transfer", "direct_cost", None, _EXPECTED, "inventory_interim", "cogs_interim"),
    Rule("transfer", "direct_cost", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("transfer", "revaluation", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("transfer", "rounding", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("consumption", "direct_cost", None, _ACTUAL, "inventory", "wip"),
    Rule("consumption", "revaluation", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("consumption", "rounding", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("output", "direct_cost", None, _EXPECTED, "inventory_interim", "wip"),
    Rule("output", "direct_cost", None, _ACTUAL, "inventory", "wip"),
    Rule("output", "indirect_cost", None, _ACTUAL, "inventory", "overhead_applied"),
    Rule("output", "variance", "material", _ACTUAL, "inventory", "material_variance"),
    Rule("output", "variance", "capacity", _ACTUAL, "inventory", "capacity_variance"),
    Rule("output", "variance", "subcontracted", _ACTUAL, "inventory", "subcontracted_variance"),
    Rule("output", "variance", "capacity_overhead", _ACTUAL, "inventory", "capacity_overhead_variance"),
    Rule("output", "variance", "manufacturing_overhead", _ACTUAL, "inventory", "manufacturing_overhead_variance"),
    Rule("output", "revaluation", None, _EXPECTED, "inventory_interim", "wip"),
    Rule("output", "revaluation", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule("output", "rounding", None, _ACTUAL, "inventory", "inventory_adjustment"),
    Rule(None, "direct_cost", None, _ACTUAL, "wip", "direct_cost_applied"),
    Rule(None, "indirect_cost", None, _ACTUAL, "wip", "overhead_applied"),
)
# fmt: on
_ROLES = {rule[:4]: rule[4:] for rule in RULES}


def roles_for(item_ledger_entry_type, entry_type, variance_type, expected, order):
    """Return ``(role1, role2)`` of a value entry's expected or actual amount.

    Empty types may be given as ``None``, ``False`` or ``""``; ``order`` says whether
    the entry names an order. Raises ``RoleNotAllowed`` or one of its kinds.
    """
    types = (item_ledger_entry_type or None, entry_type, variance_type or None)
    roles = _ROLES.get((*types, bool(expected)))
    if not roles:
        listed = expected and (*types, _ACTUAL) in _ROLES
        raise (ExpectedCostNotAllowed if listed else RoleNotAllowed)(*types)
    if "wip" in roles and not order:
        raise OrderMissing(*types)
    return roles
