from odoo import models


class StockLandedCost(models.Model):
    """Landed costs of managed products are stated to the value ledger, whole."""

    _inherit = "stock.landed.cost"

    def button_validate(self):
        """State the landed costs of managed products; refused in a closed period."""
        managed = self.filtered(
            lambda cost: cost._get_targeted_move_ids()._filter_managed()
        )
        for company, costs in managed.grouped("company_id").items():
            self.env["inventory.cost.guard"].sudo()._hold(company)
            self.env["inventory.period"]._check_open(
                company, [(cost.date, cost.name) for cost in costs]
            )
        result = super().button_validate()
        self.filtered(lambda cost: cost.state == "done")._state_inventory_cost()
        return result

    def _state_inventory_cost(self):
        """State what each adjustment line adds to the receipts it covers."""
        for company, costs in self.grouped("company_id").items():
            lines = costs.sudo().with_company(company).valuation_adjustment_lines
            statements = lines._prepare_cost_statements()
            ledger = self.env["stock.value.entry"].sudo().with_company(company)
            value_entries = ledger._state(
                "stock.valuation.adjustment.lines", statements
            )
            self.env["stock.cost.item"]._update(company, value_entries)

    def get_valuation_lines(self):
        """Offer managed products of every costing method.

        Odoo leaves standard cost out: there the cost becomes a purchase variance.
        """
        moves = self._get_targeted_move_ids()
        managed = moves.filtered(
            lambda move: move.state == "done" and move.quantity
        )._filter_managed()
        unmanaged = moves - moves._filter_managed()
        lines = []
        if unmanaged or not managed:
            lines = super(
                StockLandedCost, self.with_context(inventory_unmanaged=unmanaged.ids)
            ).get_valuation_lines()
        return lines + [self._prepare_managed_line(move) for move in managed]

    def _get_targeted_move_ids(self):
        """Leave managed moves to ``_prepare_managed_line`` while Odoo lists its own."""
        moves = super()._get_targeted_move_ids()
        unmanaged = self.env.context.get("inventory_unmanaged")
        if unmanaged is not None:
            moves = moves.filtered(lambda move: move.id in unmanaged)
        return moves

    def _prepare_managed_line(self, move):
        """Return the values of a managed move's adjustment lines; a hook."""
        product = move.product_id
        quantity = move.product_uom._compute_quantity(move.quantity, product.uom_id)
        return {
            "product_id": product.id,
            "move_id": move.id,
            "quantity": quantity,
            "former_cost": move.value,
            "weight": product.weight * quantity,
            "volume": product.volume * quantity,
        }
