from odoo import models


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
        return self.warehouse_id.view_location_id or self
