from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..costing.entry_types import INTERCOMPANY, NONE, OWN, PLACES

# A location whose stock or done moves stand in the ledgers.
KNOWN_TO_THE_LEDGER = """
    SELECT location.id
      FROM stock_location location
     WHERE location.id = ANY(%(locations)s)
       AND (EXISTS (SELECT FROM stock_quant quant
                      JOIN stock_ledger_entry entry
                        ON entry.product_id = quant.product_id
                       AND entry.company_id = location.company_id
                     WHERE quant.location_id = location.id AND quant.quantity <> 0)
         OR EXISTS (SELECT FROM stock_move_line line
                      JOIN stock_ledger_entry entry
                        ON entry.stock_move_id = line.move_id
                     WHERE line.location_id = location.id
                        OR line.location_dest_id = location.id))
     LIMIT 1
"""


class StockLocation(models.Model):
    """The cost location of a location."""

    _inherit = "stock.location"

    def _cost_location(self):
        """Return the location whose stock is costed as one with this one's.

        The warehouse's view location for everything inside a warehouse; a company's
        transit or subcontracting location outside any warehouse is one of its own;
        empty for locations that are not the company's.
        """
        self.ensure_one()
        if not self._should_be_valued():
            return self.browse()
        return self.browse(self.warehouse_id._view_location_id()) or self

    def _cost_place(self, company):
        """Return the kind of place as ``costing.entry_types`` knows it, for a company.

        Stock of another company and transit without a company are the same to it:
        goods bought from or sold to a sister company.
        """
        self.ensure_one()
        if self.usage not in ("internal", "transit"):
            return self.usage if self.usage in PLACES else NONE
        if self.company_id == company:
            return OWN
        return INTERCOMPANY if self.company_id or self.usage == "transit" else NONE

    def write(self, vals):
        """Refuse to move stock the ledgers know to another cost location."""
        if not {"location_id", "usage"} & vals.keys():
            return super().write(vals)
        before = {location: location._cost_location_key() for location in self}
        result = super().write(vals)
        self.filtered(
            lambda location: location._cost_location_key() != before[location]
        )._refuse_known_to_the_ledger()
        return result

    def _cost_location_key(self):
        """Return what decides the cost location of this one and those inside it."""
        return self.warehouse_id, self._should_be_valued()

    def _refuse_known_to_the_ledger(self):
        """Raise a UserError when stock or moves in or below these stand in the ledgers.

        The ledgers say at which cost location goods are and what they cost there.
        """
        if not self:
            return
        inside = self.with_context(active_test=False).search(
            [("id", "child_of", self.ids)]
        )
        self.env.flush_all()
        rows = self.env.execute_query(SQL(KNOWN_TO_THE_LEDGER, locations=inside.ids))
        for [location_id] in rows:
            raise UserError(
                self.env._(
                    "%(location)s has goods in the cost ledgers, so it can't leave its "
                    "warehouse. Create a new location at the other place and bring the "
                    "goods there with a transfer.",
                    location=self.browse(location_id).display_name,
                )
            )
