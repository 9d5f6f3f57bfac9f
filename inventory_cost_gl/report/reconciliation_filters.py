"""What the totals of the reconciliation are narrowed to, as SQL conditions."""

from datetime import date
from typing import NamedTuple

from odoo.tools import SQL


class Filters(NamedTuple):
    """What of a company is summed; dates are inclusive, empty means all."""

    company_id: int
    date_from: date | None = None
    date_to: date | None = None
    product_ids: tuple[int, ...] | None = None
    cost_location_ids: tuple[int, ...] | None = None


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
    return SQL(" AND ").join(conditions)


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
