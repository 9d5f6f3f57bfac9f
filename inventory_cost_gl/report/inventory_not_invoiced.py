from datetime import date

from odoo import api, fields, models
from odoo.tools import SQL

# Days since goods were received or shipped: (field, from, to).
AGES = (
    ("amount_30", 0, 30),
    ("amount_60", 31, 60),
    ("amount_90", 61, 90),
    ("amount_older", 91, None),
)
FAR = "9999-12-31"
# Ids are ledger entry * DAYS + day; day 0 is the list without a date.
EPOCH, DAYS = date(1970, 1, 1), 100_000
KINDS = [("received", "Received Not Invoiced"), ("shipped", "Shipped Not Invoiced")]


class InventoryNotInvoiced(models.Model):
    """Goods received not invoiced, and shipped not invoiced: one row per order line.

    Read from the value entries at the date ``not_invoiced_on`` of the context (a text;
    without it now, everything recorded). Amounts are in company currency and positive
    for what vendors will bill and customers will be invoiced; a return that is not
    credited yet is negative. Once cost is posted with expected cost posting on, goods
    received are Inventory Accrual (Interim), and goods shipped are COGS (Interim).

    The id is made of the oldest ledger entry behind the row and of the date, so that
    the lists of two dates never share their records.
    """

    _name = "inventory.not.invoiced"
    _description = "Goods Not Invoiced"
    _auto = False
    _order = "since, id"
    _rec_name = "order_ref"
    _depends = {
        "stock.ledger.entry": [
            "company_id",
            "entry_type",
            "product_id",
            "posting_date",
            "stock_move_id",
        ],
        "stock.value.entry": [
            "ledger_entry_id",
            "posting_date",
            "cost_amount_expected",
            "ledger_entry_quantity",
            "invoiced_quantity",
        ],
        "stock.value.entry.link": ["value_entry_id", "kind", "amount"],
        "stock.move": ["purchase_line_id", "sale_line_id"],
        "purchase.order.line": ["order_id"],
        "purchase.order": ["name", "partner_id"],
        "sale.order.line": ["order_id"],
        "sale.order": ["name", "partner_id"],
        "product.product": ["product_tmpl_id"],
        "product.template": ["categ_id"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    purchase_order_id = fields.Many2one("purchase.order", readonly=True)
    purchase_line_id = fields.Many2one("purchase.order.line", readonly=True)
    sale_order_id = fields.Many2one("sale.order", readonly=True)
    sale_line_id = fields.Many2one("sale.order.line", readonly=True)
    order_ref = fields.Char(string="Order", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    category_id = fields.Many2one("product.category", readonly=True)
    since = fields.Date(
        readonly=True,
        help="Posting date of the oldest receipt or delivery that is not invoiced.",
    )
    age = fields.Integer(string="Days", readonly=True, aggregator="max")
    quantity = fields.Float(string="Not Invoiced", readonly=True, digits="Product Unit")
    amount = fields.Monetary(string="Expected Cost", readonly=True)
    amount_30 = fields.Monetary(string="0–30 Days", readonly=True)
    amount_60 = fields.Monetary(string="31–60 Days", readonly=True)
    amount_90 = fields.Monetary(string="61–90 Days", readonly=True)
    amount_older = fields.Monetary(string="Over 90 Days", readonly=True)
    posted_amount = fields.Monetary(
        string="In Interim Account",
        readonly=True,
        help="What of it is posted to the G/L until the date.",
    )

    @api.model
    def _as_of(self):
        """Return the date of the list, ``None`` for everything recorded."""
        return fields.Date.to_date(self.env.context.get("not_invoiced_on") or None)

    @property
    def _table_query(self):
        as_of = self._as_of()
        return SQL(
            """
            WITH cost AS (%(costs)s)
            SELECT min(cost.id) * %(days)s::bigint + %(day)s AS id,
                   cost.company_id, company.currency_id,
                   CASE cost.entry_type WHEN 'sale' THEN 'shipped' ELSE 'received' END
                       AS kind,
                   purchase.id AS purchase_order_id, cost.purchase_line_id,
                   sale.id AS sale_order_id, cost.sale_line_id,
                   COALESCE(purchase.name, sale.name, min(cost.origin)) AS order_ref,
                   COALESCE(purchase.partner_id, sale.partner_id, min(cost.partner_id))
                       AS partner_id,
                   cost.product_id, template.categ_id AS category_id,
                   min(cost.posting_date) AS since,
                   %(today)s - min(cost.posting_date) AS age,
                   sum(cost.quantity) AS quantity, sum(cost.amount) AS amount,
                   %(ages)s, sum(cost.posted_amount) AS posted_amount
              FROM cost
              JOIN res_company company ON company.id = cost.company_id
              JOIN product_product product ON product.id = cost.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
              LEFT JOIN purchase_order_line purchase_line
                     ON purchase_line.id = cost.purchase_line_id
              LEFT JOIN purchase_order purchase
                     ON purchase.id = purchase_line.order_id
              LEFT JOIN sale_order_line sale_line ON sale_line.id = cost.sale_line_id
              LEFT JOIN sale_order sale ON sale.id = sale_line.order_id
             GROUP BY cost.company_id, company.currency_id, cost.entry_type,
                      cost.purchase_line_id, cost.sale_line_id, purchase.id, sale.id,
                      CASE WHEN purchase.id IS NULL AND sale.id IS NULL
                           THEN cost.stock_move_id END,
                      cost.product_id, template.categ_id
            """,
            costs=_costs(as_of or FAR),
            days=DAYS,
            day=(as_of - EPOCH).days % DAYS if as_of else 0,
            today=as_of or fields.Date.context_today(self),
            ages=_ages(as_of or fields.Date.context_today(self)),
        )

    # -- What stands behind a row -----------------------------------------------------

    def _ledger_entries(self):
        """Return the ledger entries of the rows' order lines that are not invoiced
        completely at present."""
        seeds = self.env["stock.ledger.entry"].browse(
            row_id // DAYS for row_id in self.ids
        )
        moves = seeds.sudo().stock_move_id
        lines = moves.purchase_line_id.move_ids | moves.sale_line_id.move_ids | moves
        entries = self.env["stock.ledger.entry"].search(
            [
                ("stock_move_id", "in", lines.ids),
                ("entry_type", "in", seeds.mapped("entry_type")),
                ("company_id", "in", seeds.company_id.ids),
            ],
            order="id",
        )
        costs = entries.sudo()._costs()
        return entries.filtered(lambda entry: costs[entry.id][2] != entry.quantity)

    def action_open_order(self):
        """Open the order of a row."""
        self.ensure_one()
        order = self.purchase_order_id or self.sale_order_id
        if not order:
            return self.action_open_transfers()
        return {
            "type": "ir.actions.act_window",
            "res_model": order._name,
            "res_id": order.id,
            "view_mode": "form",
        }

    def action_open_transfers(self):
        """Open the receipts or deliveries of the rows."""
        pickings = self._ledger_entries().sudo().stock_move_id.picking_id
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Receipts and Deliveries"),
            "res_model": "stock.picking",
            "view_mode": "list,form",
            "domain": [("id", "in", pickings.ids)],
            "context": {"create": False},
        }

    def action_open_value_entries(self):
        """Open the value entries that the rows sum up."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Value Entries"),
            "res_model": "stock.value.entry",
            "view_mode": "list,pivot,form",
            "domain": [("ledger_entry_id", "in", self._ledger_entries().ids)],
        }

    def action_write_off(self):
        """Ask before the rest of the expected cost of the rows is written off."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write Off Expected Cost"),
            "res_model": "inventory.cost.write.off",
            "view_mode": "form",
            "target": "new",
            "context": {"write_off_entry_ids": self._ledger_entries().ids},
        }


def _costs(as_of):
    """Return the SQL of what each ledger entry has not invoiced at a date."""
    return SQL(
        """
        SELECT entry.*, posted.amount * entry.sign AS posted_amount
          FROM (
            SELECT ledger.id, ledger.company_id, ledger.entry_type, ledger.product_id,
                   ledger.posting_date, ledger.stock_move_id, ledger.origin,
                   ledger.partner_id, side.sign,
                   CASE ledger.entry_type WHEN 'purchase' THEN move.purchase_line_id END
                       AS purchase_line_id,
                   CASE ledger.entry_type WHEN 'sale' THEN move.sale_line_id END
                       AS sale_line_id,
                   side.sign * sum(value.ledger_entry_quantity
                                   - value.invoiced_quantity) AS quantity,
                   side.sign * sum(value.cost_amount_expected) AS amount
              FROM stock_ledger_entry ledger
             CROSS JOIN LATERAL (
                SELECT CASE ledger.entry_type WHEN 'sale' THEN -1 ELSE 1 END AS sign
             ) AS side
              JOIN stock_value_entry value ON value.ledger_entry_id = ledger.id
              LEFT JOIN stock_move move ON move.id = ledger.stock_move_id
             WHERE ledger.entry_type IN ('purchase', 'sale')
               AND value.posting_date <= %(as_of)s
             GROUP BY ledger.id, side.sign, move.id
            HAVING sum(value.cost_amount_expected) <> 0
                OR sum(value.ledger_entry_quantity) <> sum(value.invoiced_quantity)
          ) AS entry
         CROSS JOIN LATERAL (
            SELECT COALESCE(sum(link.amount), 0) AS amount
              FROM stock_value_entry value
              JOIN stock_value_entry_link link ON link.value_entry_id = value.id
              JOIN account_move_line line ON line.id = link.debit_line_id
             WHERE value.ledger_entry_id = entry.id AND link.kind = 'expected'
               AND line.date <= %(as_of)s
         ) AS posted
        """,
        as_of=as_of,
    )


def _ages(today):
    """Return the SQL of the amounts by age on a day."""
    return SQL(", ").join(
        SQL(
            "COALESCE(sum(cost.amount) FILTER (WHERE %s), 0) AS %s",
            SQL("%s - cost.posting_date > 90", today)
            if last is None
            else SQL("%s - cost.posting_date BETWEEN %s AND %s", today, first, last)
            if first
            else SQL("%s - cost.posting_date <= %s", today, last),
            SQL.identifier(name),
        )
        for name, first, last in AGES
    )
