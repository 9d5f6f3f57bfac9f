from odoo import fields, models

from ..costing.entry_types import NO_ORDER, entry_types


class StockMove(models.Model):
    """Moves of managed products: Odoo's valuation stands aside."""

    _inherit = "stock.move"

    def _should_create_account_move(self):
        """Managed products get journal entries from their value entries only."""
        return not self._filter_managed() and super()._should_create_account_move()

    def _filter_managed(self):
        """Return the moves whose product is managed in the move's own company."""
        return self.filtered(
            lambda move: move.product_id.with_company(move.company_id)._is_managed()
        )

    def _set_value(self, correction_quantity=None):
        """Leave the value of managed moves to the cost ledger, which writes it."""
        unmanaged = self - self._filter_managed()
        return super(StockMove, unmanaged)._set_value(correction_quantity)

    # ------------------------------------------------------------------
    # The quantity ledger
    # ------------------------------------------------------------------

    def _action_done(self, cancel_backorder=False):
        """Record the ledger entries and costs of the moves that got done."""
        moves = super()._action_done(cancel_backorder=cancel_backorder)
        moves._record_cost()
        return moves

    def write(self, vals):
        """Record done moves anew whose date changes: reversed, then on the new date."""
        dated = self.browse()
        if "date" in vals:
            dated = self._filter_redated(fields.Datetime.to_datetime(vals["date"]))
        result = super().write(vals)
        for company, moves in dated._filter_managed().grouped("company_id").items():
            moves.sudo().with_company(company)._redate_cost()
        return result

    def _filter_redated(self, moment):
        """Return the done moves that a new date moves to another posting date."""
        return self.filtered(
            lambda move: move.state == "done"
            and move.company_id._inventory_posting_date(move.date)
            != move.company_id._inventory_posting_date(moment)
        )

    def _redate_cost(self):
        company = self.env.company
        entries = self.env["stock.ledger.entry"].search(
            [("stock_move_id", "in", self.ids)], order="id"
        )
        entries = entries.filtered(
            lambda entry: entry.posting_date
            != company._inventory_posting_date(entry.stock_move_id.date)
        )
        reversals = entries._prepare_reversals()
        if not reversals:
            return
        self.env["inventory.cost.guard"]._hold(company)
        rows = []
        for move in entries.stock_move_id:
            for key, (quantity, arrival_id) in move._moved_quantities().items():
                rows.append(
                    {
                        **move._prepare_ledger_entry_vals(*key),
                        "quantity": quantity,
                        "arrival_location_id": arrival_id,
                    }
                )
        rows = reversals + rows
        self.env["inventory.period"]._check_open(
            company, [(row["posting_date"], row.get("origin")) for row in rows]
        )
        self.env["stock.ledger.entry"]._record(company, rows)

    def _record_cost(self):
        """Bring the ledgers up to date with these done moves, company by company.

        Called again after a change of quantity it records the difference; called twice
        it records nothing.
        """
        managed = self.filtered(lambda move: move.state == "done")._filter_managed()
        for company, moves in managed.grouped("company_id").items():
            moves.sudo().with_company(company)._record_company_cost()

    def _record_company_cost(self):
        company = self.env.company
        self.env["inventory.cost.guard"]._hold(company)
        rows = self._prepare_ledger_entries()
        self.env["inventory.period"]._check_open(
            company, [(row["posting_date"], row.get("origin")) for row in rows]
        )
        self.env["stock.ledger.entry"]._record(company, rows)

    def _prepare_ledger_entries(self):
        """Return the rows that bring the quantity ledger to what the moves moved.

        Rows are column values of ``stock.ledger.entry`` plus ``arrival_location_id``,
        where the increase of a transfer arrives: how many layers it brings is known
        only when the decrease is applied.
        """
        ledger = self.env["stock.ledger.entry"]
        moves = self | self.origin_returned_move_id
        entries = ledger.search([("stock_move_id", "in", moves.ids)], order="id desc")
        recorded = entries._recorded_quantities()
        returnable = entries._returnable_quantities()
        rows = []
        for move in self:
            moved = move._moved_quantities()
            keys = {**moved, **recorded.get(move.id, {})}
            own = []
            for key in keys:
                quantity, arrival_id = moved.get(key, (0.0, False))
                quantity -= recorded.get(move.id, {}).get(key, 0.0)
                own += move._prepare_ledger_entry_rows(
                    key, round(quantity, 6), arrival_id, returnable
                )
            rows += _applied_drop_shipment(own)
        return rows

    def _moved_quantities(self):
        """Return ``{(entry type, cost location, lot): (quantity, arrival location)}``.

        Quantities are signed, in the product's unit of measure. Goods owned by others
        are left out. The increase of a transfer is not listed: it follows its decrease.
        """
        self.ensure_one()
        moved = {}
        for line in self.move_line_ids:
            if line._should_exclude_for_valuation() or not line.picked:
                continue
            lot = line.lot_id if self.product_id.lot_valuated else self.env["stock.lot"]
            source = line.location_id._cost_location()
            destination = line.location_dest_id._cost_location()
            types = entry_types(
                line.location_id._cost_place(self.company_id),
                line.location_dest_id._cost_place(self.company_id),
                self._inventory_order_kind(),
                same_cost_location=source == destination,
            )
            transfer = types.increase == "transfer"
            # A drop shipment never enters stock: its entries stand at the vendor's.
            outside = source or destination or line.location_id
            for entry_type, place, quantity in (
                (types.decrease, source or outside, -line.quantity_product_uom),
                (
                    types.increase if not transfer else None,
                    destination or outside,
                    line.quantity_product_uom,
                ),
            ):
                if entry_type:
                    key = (entry_type, place.id, lot.id)
                    before = moved.get(key, (0.0,))[0]
                    arrival = transfer and destination.id
                    moved[key] = (before + quantity, arrival)
        return moved

    def _inventory_order_kind(self):
        """Return what the move belongs to, as ``entry_types`` knows it.

        Addons that know production or repair orders override it.
        """
        self.ensure_one()
        return NO_ORDER

    def _prepare_ledger_entry_rows(self, key, quantity, arrival_id, returnable):
        """Return the rows for a quantity, split over the entries it takes back.

        A return takes back entries of the move it returns, a corrected quantity those
        of the move itself, the newest first; ``returnable`` is used up.
        """
        self.ensure_one()
        if not quantity:
            return []
        entry_type, location_id, lot_id = key
        row = self._prepare_ledger_entry_vals(entry_type, location_id, lot_id)
        rows = []
        for move in self | self.origin_returned_move_id:
            for taken_back in returnable.get((move.id, entry_type, lot_id), ()):
                taken = taken_back.take(quantity, location_id)
                if taken:
                    quantity = round(quantity - taken, 6)
                    fixed = (
                        "applies_to_entry_id" if taken < 0 else "applies_from_entry_id"
                    )
                    taken_row = {**row, "quantity": taken, fixed: taken_back.entry.id}
                    if move == self:
                        taken_row["reverses_entry_id"] = taken_back.entry.id
                    rows.append(taken_row)
        if arrival_id and rows:
            # What did not leave did not arrive either.
            arrived = sum(-row["quantity"] for row in rows)
            key = (entry_type, arrival_id, lot_id)
            rows += self._prepare_ledger_entry_rows(key, arrived, False, returnable)
        if quantity:
            fixed = self._prepare_fixed_application(location_id, lot_id, quantity)
            rows.append(
                {
                    **row,
                    **fixed,
                    "quantity": quantity,
                    "arrival_location_id": arrival_id,
                }
            )
        return rows

    def _prepare_ledger_entry_vals(self, entry_type, location_id, lot_id):
        """Return the columns of a ledger entry but its quantity; a hook."""
        self.ensure_one()
        company = self.env.company
        partner = self._inventory_partner(entry_type)
        posting_date = company._inventory_posting_date(self.date)
        product = self.product_id.with_company(company)
        return {
            "company_id": company.id,
            "product_id": product.id,
            "lot_id": lot_id or None,
            "cost_location_id": location_id,
            "entry_type": entry_type,
            "posting_date": posting_date,
            "valuation_date": posting_date,
            "stock_move_id": self.id,
            "origin": self.reference or self.origin,
            "partner_id": partner.id or None,
            "inventory_posting_group_id": product._get_inventory_posting_group().id
            or None,
            "product_posting_group_id": product._get_product_posting_group().id or None,
            "business_posting_group_id": partner.with_company(company)
            ._get_business_posting_group()
            .id
            or None,
            "analytic_distribution": self._inventory_analytic_distribution(entry_type)
            or None,
        }

    def _inventory_line_of(self, entry_type):
        """Return the order line that an entry of this type belongs to, maybe empty.

        A drop shipment has one of each: a purchase and a sale.
        """
        self.ensure_one()
        if entry_type == "sale":
            return self.sale_line_id
        return self.purchase_line_id or self.sale_line_id

    def _inventory_partner(self, entry_type):
        """Return the vendor or customer whose posting group the entry takes."""
        line = self._inventory_line_of(entry_type)
        return line.order_id.partner_id or self.partner_id or self.picking_id.partner_id


def _applied_drop_shipment(rows):
    """Fix the sale of a drop shipment to its purchase, which never enters stock.

    Its cost is that purchase's whatever the costing method, and no average moves.
    """
    purchases = [row for row in rows if row["entry_type"] == "purchase"]
    sales = [row for row in rows if row["entry_type"] == "sale"]
    for purchase, sale in zip(purchases, sales, strict=False):
        increase, decrease = (
            (purchase, sale) if purchase["quantity"] > 0 else (sale, purchase)
        )
        if not decrease.get("applies_to_entry_id"):
            decrease["applies_to_row"] = increase
    return rows
