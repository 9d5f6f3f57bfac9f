"""What the totals of the reconciliation are narrowed to, as SQL conditions."""

from datetime import date
from typing import NamedTuple

from odoo.tools import SQL


class Filters(NamedTuple):
    """What of a company is summed; dates are inclusive, empty means all.

    ``blocks``: the blocks of value entries whose totals are taken; ``ranges``: the ids
    ``(first, last)`` of the value entries to read beside them, None for all.
    """

    company_id: int
    date_from: date | None = None
    date_to: date | None = None
    product_ids: tuple[int, ...] | None = None
    cost_location_ids: tuple[int, ...] | None = None
    blocks: tuple[int, ...] = ()
    ranges: tuple[tuple[int, int], ...] | None = None


def within(filters, day):
    """The condition that a date is within the filters."""
    conditions = [SQL("TRUE")]
    if filters.date_from:
        conditions.append(SQL("%s >= %s", day, filters.date_from))
    if filters.date_to:
        conditions.append(SQL("%s <= %s", day, filters.date_to))
    return SQL(" AND ").join(conditions)


def of_entries(filters):
    """The condition on value entries but for their dates."""
    conditions = [SQL("entry.company_id = %s", filters.company_id)]
    if filters.product_ids is not None:
        conditions.append(SQL("entry.product_id = ANY(%s)", list(filters.product_ids)))
    if filters.cost_location_ids is not None:
        conditions.append(
            SQL("entry.cost_location_id = ANY(%s)", list(filters.cost_location_ids))
        )
    conditions.append(not_totalled(filters, SQL("entry.id")))
    return SQL(" AND ").join(conditions)


def not_totalled(filters, value_entry):
    """The condition on ids of value entries that no total answers for."""
    if filters.ranges is None:
        return SQL("TRUE")
    ranges = [SQL("%s BETWEEN %s AND %s", value_entry, *ids) for ids in filters.ranges]
    return SQL("(%s)", SQL(" OR ").join(ranges or [SQL("FALSE")]))


def totals_of(filters):
    """The totals of the blocks taken, with the dates of their value entries within."""
    return SQL(
        "total.block = ANY(%s) AND total.company_id = %s AND %s",
        list(filters.blocks),
        filters.company_id,
        within(filters, SQL("total.posting_date")),
    )


def of_items(filters):
    """The condition on journal items; those without a link have no cost location."""
    conditions = [
        SQL("item.company_id = %s", filters.company_id),
        within(filters, SQL("item.date")),
    ]
    if filters.product_ids is not None:
        conditions.append(SQL("item.product_id = ANY(%s)", list(filters.product_ids)))
    if filters.cost_location_ids is not None:
        conditions.append(SQL("FALSE"))
    return SQL(" AND ").join(conditions)
