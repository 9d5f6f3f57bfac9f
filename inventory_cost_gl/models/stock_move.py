from collections import defaultdict

from odoo import fields, models

from ..costing.entry_types import NO_ORDER, entry_types
from .stock_ledger_entry_corrections import transfer_key


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
        rows = entries.stock_move_id._prepare_ledger_entries(reversals)
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

    def _prepare_ledger_entries(self, reversals=()):
        """Return the rows that bring the quantity ledger to what the moves moved.

        Rows are column values of ``stock.ledger.entry`` plus ``arrival_location_id``,
        where the increase of a transfer arrives: how many layers it brings is known
        only when the decrease is applied. ``reversals``: rows that reverse entries of
        the moves; they come first, and what they reverse is recorded anew.
        """
        ledger = self.env["stock.ledger.entry"]
        moves = self | self.origin_returned_move_id
        entries = ledger.search([("stock_move_id", "in", moves.ids)], order="id desc")
        recorded = entries._recorded_quantities(reversals)
        returnable = entries._returnable_quantities(reversals)
        rows, again = [], {}
        for move in self:
            own = [row for row in reversals if row["stock_move_id"] == move.id]
            rows += _applied_drop_shipment(own)
            again[move.id] = own
        for move in self:
            moved = move._moved_quantities()
            own = []
            for key in {**moved, **recorded[move.id]}:
                quantity = round(moved.get(key, 0.0) - recorded[move.id][key], 6)
                own += move._prepare_ledger_entry_rows(
                    key, quantity, returnable, again[move.id]
                )
            rows += _applied_drop_shipment(own)
        return rows

    def _moved_quantities(self):
        """Return ``{(entry type, cost location, lot, arrival location): quantity}``.

        Quantities are signed, in the product's unit of measure. Goods owned by others
        are left out. A transfer is listed once, see ``transfer_key``; others have no
        arrival location.
        """
        self.ensure_one()
        moved = defaultdict(float)
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
            quantity = line.quantity_product_uom
            if types.increase == "transfer":
                key, quantity = transfer_key(
                    source.id, destination.id, lot.id, quantity
                )
                moved[key] += quantity
                continue
            # A drop shipment never enters stock: its entries stand at the vendor's.
            outside = source or destination or line.location_id
            if types.decrease:
                place = source or outside
                moved[types.decrease, place.id, lot.id, False] -= quantity
            if types.increase:
                place = destination or outside
                moved[types.increase, place.id, lot.id, False] += quantity
        return moved

    def _inventory_order_kind(self):
        """Return what the move belongs to, as ``entry_types`` knows it.

        Addons that know production or repair orders override it.
        """
        self.ensure_one()
        return NO_ORDER

    def _prepare_ledger_entry_rows(self, key, quantity, returnable, reversals=()):
        """Return the rows for a quantity, split over the entries it takes back.

        A return takes back entries of the move it returns, a corrected quantity those
        of the move itself, the newest first; ``returnable`` is used up. A transfer is
        taken back by a transfer back.
        """
        self.ensure_one()
        entry_type, location_id, lot_id, arrival_id = key
        if arrival_id and quantity > 0:
            location_id, arrival_id = arrival_id, location_id
            quantity = -quantity
        row = self._prepare_ledger_entry_vals(entry_type, location_id, lot_id)
        row["arrival_location_id"] = arrival_id
        rows = []
        for move in self | self.origin_returned_move_id:
            for taken_back in returnable.get((move.id, entry_type, lot_id), ()):
                taken = taken_back.take(quantity, location_id, self)
                if taken:
                    quantity = round(quantity - taken, 6)
                    rows.append(self._prepare_taken_back(row, taken_back.entry, taken))
        for fixed in self._prepare_fixed_applications(row, quantity, reversals):
            quantity = round(quantity - fixed["quantity"], 6)
            rows.append(fixed)
        if quantity:
            rows.append({**row, "quantity": quantity})
        return rows

    def _prepare_taken_back(self, row, entry, quantity):
        """Return the row that takes back a quantity of an entry.

        Goods that a correction had given back are taken from it, which reverses
        nothing.
        """
        fixed = "applies_to_entry_id" if quantity < 0 else "applies_from_entry_id"
        row = {**row, "quantity": quantity, fixed: entry.id}
        if self == entry.stock_move_id and not entry._is_given_back():
            row["reverses_entry_id"] = entry.id
        return row

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

    Its cost is that purchase's whatever the costing method, and no average moves. What
    takes a drop shipment back is fixed the other way round.
    """
    purchases = [row for row in rows if row["entry_type"] == "purchase"]
    sales = [row for row in rows if row["entry_type"] == "sale"]
    for purchase, sale in zip(purchases, sales, strict=False):
        increase, decrease = (
            (purchase, sale) if purchase["quantity"] > 0 else (sale, purchase)
        )
        decrease.pop("applies_to_entry_id", None)
        decrease["applies_to_row"] = increase
    return rows
