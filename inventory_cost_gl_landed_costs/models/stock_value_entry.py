from odoo import models


class StockValueEntry(models.Model):
    """Value entries of landed costs lead to the landed cost."""

    _inherit = "stock.value.entry"

    def _document_fields(self):
        """Name the landed cost as the document of its adjustment lines."""
        return {
            **super()._document_fields(),
            "stock.valuation.adjustment.lines": "cost_id",
        }
