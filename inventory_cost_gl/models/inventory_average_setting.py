from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..costing.average_change import AverageSetting, in_force, pool_values
from ..costing.receipts import split_amount
from ..costing.records import Balance
from ..engine.project import project
from ..engine.store import Store
from ..engine.units import Units


class InventoryAverageSetting(models.Model):
    """How average cost is worked out from a day on; nothing is ever changed here.

    A change of the company's settings counts from the first open day on. Cost that
    becomes known later for the days before is adjusted by the setting of those days.
    """

    _name = "inventory.average.setting"
    _description = "Average Cost Setting"
    _order = "id desc"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    date_from = fields.Date(
        string="Counts From",
        help="The first open day when the setting was made; empty: the first entry.",
    )
    average_cost_calc_type = fields.Selection(
        lambda self: self._selection_of("average_cost_calc_type"),
        string="Average Cost Calc. Type",
        required=True,
    )
    average_cost_period = fields.Selection(
        lambda self: self._selection_of("average_cost_period"), required=True
    )
    user_id = fields.Many2one(
        "res.users", string="Changed by", default=lambda self: self.env.user
    )

    def _selection_of(self, field):
        return self.env["res.company"]._fields[field].selection

    @api.depends("average_cost_calc_type", "average_cost_period", "date_from")
    def _compute_display_name(self):
        """Name a setting as the source of the value entries it brought about."""
        calc_types = dict(self._selection_of("average_cost_calc_type"))
        for setting in self:
            name = calc_types.get(setting.average_cost_calc_type)
            if setting.date_from:
                name = self.env._(
                    "Average cost per %(calc_type)s from %(date)s",
                    calc_type=name,
                    date=format_date(self.env, setting.date_from),
                )
            setting.display_name = name

    @api.model
    def _in_force(self, company):
        """Return the :class:`AverageSetting` rows that count, oldest first."""
        rows = self.sudo().search([("company_id", "=", company.id)], order="id")
        return in_force(
            [
                AverageSetting(
                    row.id,
                    row.date_from or None,
                    row.average_cost_period,
                    row.average_cost_calc_type,
                )
                for row in rows
            ]
        )

    # -- Pools of their own -----------------------------------------------------------

    def _divide_pools(self, before, products):
        """Form the pools of the locations if one per product ends with this setting.

        ``before``: the ``AverageSetting`` that ends. Returns the value entries.
        """
        calc_types = before.average_cost_calc_type, self.average_cost_calc_type
        if calc_types != ("item", "item_location"):
            return self.env["stock.value.entry"]
        return self._form_pools(products)

    def _form_pools(self, products):
        """Divide the products' pools among the locations, as of the day before.

        Where one average per product was worked out, a location's recorded value is not
        that of its stock. Revaluation entries that add up to nothing per product bring
        it there. Doing it twice appends nothing. Returns the value entries.
        """
        self.ensure_one()
        company = self.company_id
        units = Units(company.currency_id)
        differences = {}
        for product, pools in self._recorded_pools(products, units).items():
            unit_cost = units.unit_cost(self._unit_costs(products)[product])
            values = pool_values(pools, unit_cost)
            for location, pool in pools.items():
                if values[location] != pool.value:
                    differences[product, location] = values[location] - pool.value
        rows = self._pool_rows(differences, units) if differences else []
        return self._append(rows)

    def _unit_costs(self, products):
        items = self.env["stock.cost.item"].sudo()
        rows = items.search(
            [
                ("company_id", "=", self.company_id.id),
                ("product_id", "in", products.ids),
            ]
        )
        return {item.product_id.id: item.unit_cost for item in rows}

    def _recorded_pools(self, products, units):
        """Return ``{product id: {location id: Balance}}`` before the setting's day.

        Locations that never had an increase are left out: what they hold is the
        provisional cost of goods sold before they came. One query.
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT e.product_id, e.cost_location_id,
                       sum(v.ledger_entry_quantity) FILTER (
                           WHERE e.valuation_date < %(day)s),
                       sum(v.cost_amount_actual + v.cost_amount_expected) FILTER (
                           WHERE greatest(e.valuation_date, v.valuation_date)
                                 < %(day)s)
                FROM stock_value_entry v
                JOIN stock_ledger_entry e ON e.id = v.ledger_entry_id
                WHERE e.company_id = %(company)s AND e.product_id = ANY(%(products)s)
                GROUP BY 1, 2
                HAVING bool_or(e.quantity > 0 AND e.valuation_date < %(day)s)
                ORDER BY 1, 2
                """,
                day=self.date_from,
                company=self.company_id.id,
                products=products.ids,
            )
        )
        pools = {}
        for product, location, quantity, value in rows:
            balance = Balance(units.quantity(quantity), units.amount(value))
            pools.setdefault(product, {})[location] = balance
        return pools

    def _pool_rows(self, differences, units):
        """Return the rows that spread the differences over what is left of increases.

        ``differences``: ``{(product id, location id): amount}``.
        """
        day = self._posting_date()
        rows = []
        for key, increases in self._increases(differences).items():
            left = [units.quantity(row[2]) for row in increases]
            parts = split_amount(differences[key], left)
            for (entry_id, quantity, rest), part in zip(increases, parts, strict=True):
                if part:
                    amount = float(units.money(part))
                    row = self._pool_row(entry_id, amount, rest, day)
                    rows.append({**row, "partial_revaluation": rest < quantity})
        return rows

    def _posting_date(self):
        """Return the setting's day, or the first open date after it."""
        periods = self.env["inventory.period"]
        return periods._first_open_date_getter(self.company_id)(self.date_from)

    def _increases(self, differences):
        """Return ``{key: [(entry id, quantity, what was left of it)]}``: one query.

        Where nothing was left, the newest increase stands in with all of its quantity.
        """
        products, locations = zip(*differences, strict=True)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT e.product_id, e.cost_location_id, e.id, e.quantity,
                       e.quantity - COALESCE((
                           SELECT sum(a.quantity) FROM stock_cost_application a
                           JOIN stock_ledger_entry o ON o.id = a.outbound_entry_id
                           WHERE a.inbound_entry_id = e.id
                             AND o.valuation_date < %(day)s), 0)
                FROM stock_ledger_entry e
                JOIN unnest(%(products)s, %(locations)s) AS key (product, location)
                  ON key.product = e.product_id AND key.location = e.cost_location_id
                WHERE e.company_id = %(company)s AND e.quantity > 0
                  AND e.valuation_date < %(day)s
                ORDER BY e.id
                """,
                day=self.date_from,
                company=self.company_id.id,
                products=list(products),
                locations=list(locations),
            )
        )
        increases = {key: [] for key in differences}
        newest = {}
        for product, location, entry_id, quantity, left in rows:
            newest[product, location] = (entry_id, quantity, quantity)
            if left > 0:
                increases[product, location].append((entry_id, quantity, left))
        return {key: rows or [newest[key]] for key, rows in increases.items()}

    def _pool_row(self, entry_id, amount, quantity, day):
        """Return a row of ``stock.value.entry._append``; a hook."""
        return {
            "source_model": self._name,
            "source_id": self.id,
            "source_ref": self.display_name,
            "document_ref": self.display_name,
            "ledger_entry_id": entry_id,
            "entry_type": "revaluation",
            "cost_amount_actual": amount,
            "valued_quantity": quantity,
            "posting_date": day,
            "valuation_date": self.date_from - timedelta(days=1),
        }

    def _append(self, rows):
        """Append revaluation entries and count them in the balances."""
        value_entries = self.env["stock.value.entry"].sudo()._append(rows)
        if not value_entries:
            return value_entries
        company = self.company_id
        Store(company, Units(company.currency_id)).balances(value_entries)
        entries = value_entries.ledger_entry_id
        project(company, self.env["stock.cost.item"]._items(entries), entries)
        return value_entries

    def _take_back_pools(self):
        """Reverse what settings that count no longer recorded to form their pools."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT source_id, ledger_entry_id, valued_quantity,
                       partial_revaluation, sum(cost_amount_actual)
                FROM stock_value_entry
                WHERE source_model = %s AND source_id = ANY(%s)
                GROUP BY 1, 2, 3, 4 HAVING sum(cost_amount_actual) <> 0
                """,
                self._name,
                self.ids,
            )
        )
        taken_back = []
        for setting_id, entry_id, quantity, partial, amount in rows:
            setting = self.browse(setting_id)
            row = setting._pool_row(
                entry_id, -amount, quantity, setting._posting_date()
            )
            taken_back.append({**row, "partial_revaluation": partial})
        return self._append(taken_back)
