"""Numbers of the database as the cost rules want them, and back."""

from decimal import Decimal

from ..costing.records import QUANTITY_SCALE


class Units:
    """Converts amounts and quantities of one company.

    The rules count amounts in units of the currency's rounding (cents) and quantities
    in millionths; the database holds exact decimals, which Odoo reads as floats.
    """

    def __init__(self, currency):
        self.rounding = Decimal(str(currency.rounding)).normalize()
        self._per_unit = 1 / currency.rounding

    def amount(self, value):
        """Return a recorded amount in units of the currency's rounding."""
        return round((value or 0.0) * self._per_unit)

    def money(self, amount):
        """Return an amount of units as an exact amount of currency."""
        return amount * self.rounding

    def quantity(self, value):
        """Return a recorded quantity in millionths."""
        return round((value or 0.0) * QUANTITY_SCALE)

    def number(self, quantity):
        """Return a quantity of millionths as an exact number."""
        return Decimal(quantity) / QUANTITY_SCALE

    def unit_cost(self, value):
        """Return a unit cost in units of the currency's rounding per 1 of product."""
        return Decimal(str(value or 0.0)) / self.rounding

    def price(self, unit_cost):
        """Return a unit cost of the rules in currency per 1 of product."""
        return float(unit_cost * self.rounding)
