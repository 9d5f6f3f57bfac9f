"""Brings unit costs up to date (reference d.10)."""

from decimal import Decimal

from ..costing.records import QUANTITY_SCALE
from ..costing.unit_cost import round_unit_cost, unit_cost, unit_cost_while_posting


class UnitCosts:
    """The unit costs of one company's items."""

    def __init__(self, store):
        self.env = store.env
        self.store = store
        self.units = store.units

    def update(self, items, adjusted, stated):
        """Bring the items' unit costs up to date with their balances (rule d.10).

        Increases that ``stated`` value entries invoice set the unit cost of an item
        that had none; once it is adjusted, what its stock costs does. Return the items
        whose unit cost changed, or a lot's may have.
        """
        unit_costs = {
            item: item._current_unit_cost() for item in items if item._is_standard()
        }
        others = items - items.browse(item.id for item in unit_costs)
        balances = self.env["stock.cost.balance"]._of_items(others) if others else {}
        of_stock = {item: self._of_stock(item, balances[item]) for item in balances}
        open_to_increases = [
            i for i in balances if i not in adjusted or not of_stock[i]
        ]
        increases = self._of_increases(stated, open_to_increases)
        for item, balance in balances.items():
            cost = self.units.unit_cost(item.unit_cost)
            if item.product_id.id in increases:
                quantity, last = increases[item.product_id.id]
                invoiced = self.units.quantity(balance.invoiced_quantity)
                cost = unit_cost_while_posting(
                    cost, last, invoiced - quantity, invoiced
                )
            if item in adjusted and of_stock[item] is not None:
                cost = of_stock[item]
            unit_costs[item] = self.units.price(cost)
        changed = items.filtered(lambda item: item.unit_cost != unit_costs[item])
        self.store.unit_costs({item.id: unit_costs[item] for item in changed})
        return changed | items.filtered("product_id.lot_valuated")

    def _of_stock(self, item, balance):
        """Return what 1 unit in stock costs; None without stock or cost."""
        average = item._is_average()
        waiting = balance.waiting_average if average else balance.waiting_first
        return unit_cost(
            self.units.quantity(balance.quantity),
            self.units.amount(balance.value),
            self.units.quantity(balance.waiting_quantity),
            self.units.amount(waiting),
            None,
        )

    def _of_increases(self, stated, items):
        """Return ``{product id: (quantity, unit cost)}`` of the items' last increase
        invoiced.

        Exact returns bring a cost back that is known, and no new one.
        """
        products = {item.product_id for item in items}
        if not products:
            return {}
        sums = {}
        for value in stated:
            if value.product_id not in products:
                continue
            invoiced = sums.setdefault(value.ledger_entry_id, [0.0, 0.0])
            invoiced[0] += value.invoiced_quantity
            if value.entry_type in ("direct_cost", "indirect_cost"):
                invoiced[1] += value.cost_amount_actual
        increases = {}
        for entry, (number, amount) in sums.items():
            quantity = self.units.quantity(number)
            if entry.quantity > 0 and quantity > 0 and not entry.applies_from_entry_id:
                cost = self.units.amount(amount)
                last = round_unit_cost(Decimal(cost) * QUANTITY_SCALE / quantity)
                increases[entry.product_id.id] = quantity, last
        return increases
