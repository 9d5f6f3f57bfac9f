"""Writes what the cost rules decided: a few statements for any number of products."""

from odoo.tools import SQL


class Store:
    """Stores applications, adjustments, balances and unit costs of one company."""

    def __init__(self, company, units):
        self.env = company.env
        self.company = company
        self.units = units

    def applications(self, books, before):
        """Record new applications and what they changed on the entries.

        ``before``: ``{entry id: (remaining, valuation date)}`` before applying.
        """
        number = self.units.number
        applications = [
            (
                application.inbound_id,
                application.outbound_id,
                number(application.quantity),
                application.cost_follows,
            )
            for book in books
            for application in book.applications
        ]
        changed = [
            (entry.id, number(entry.remaining), entry.valuation_date)
            for book in books
            for entry in book.entries.values()
            if (entry.remaining, entry.valuation_date) != before[entry.id]
        ]
        if not changed:
            return
        ledger = self.env["stock.ledger.entry"]
        self.env.cr.execute(
            SQL(
                """
                WITH applied AS (
                    INSERT INTO stock_cost_application (company_id, inbound_entry_id,
                        outbound_entry_id, quantity, cost_follows, recorded_at)
                    SELECT %s, a.*, now() AT TIME ZONE 'UTC'
                    FROM unnest(%s::int[], %s::int[], %s::numeric[], %s::bool[]) AS a
                )
                UPDATE stock_ledger_entry e
                SET remaining_quantity = v.remaining, open = v.remaining <> 0,
                    valuation_date = v.valuation_date
                FROM unnest(%s, %s::numeric[], %s::date[])
                    AS v (id, remaining, valuation_date)
                WHERE e.id = v.id
                """,
                self.company.id,
                *_columns(applications, 4),
                *_columns(changed, 3),
            )
        )
        entries = ledger.browse(row[0] for row in changed)
        for name, values in (
            ("remaining_quantity", [float(row[1]) for row in changed]),
            ("open", [bool(row[1]) for row in changed]),
            ("valuation_date", [row[2] for row in changed]),
        ):
            for entry, value in zip(entries, values, strict=True):
                entry._fields[name]._update_cache(entry, value)

    def arrivals(self, rows):
        """Record the increases of transfers; return them.

        ``rows``: ``(departure, cost location, layer or 0, quantity)``. Everything else
        is the departure's.
        """
        ledger = self.env["stock.ledger.entry"]
        rows = [(place, *row) for place, row in enumerate(rows)]
        if not rows:
            return ledger
        same = """company_id, product_id, lot_id, entry_type, posting_date,
            valuation_date, stock_move_id, origin, partner_id,
            inventory_posting_group_id, product_posting_group_id,
            business_posting_group_id, analytic_distribution"""
        ids = self.env.cr.execute_values(
            f"""
            INSERT INTO stock_ledger_entry ({same}, cost_location_id, quantity,
                remaining_quantity, open, applies_from_entry_id,
                transferred_from_entry_id)
            SELECT {same}, v.location, v.quantity, v.quantity, true, e.id,
                   NULLIF(v.layer, 0)
            FROM (VALUES %s) AS v (place, departure, location, layer, quantity)
            JOIN stock_ledger_entry e ON e.id = v.departure
            ORDER BY v.place RETURNING id
            """,
            rows,
            template="(%s, %s, %s, %s, %s::numeric)",
            page_size=len(rows),
            fetch=True,
        )
        return ledger.browse(sorted(entry_id for (entry_id,) in ids))

    def balances(self, value_entries):
        """Count value entries into the balances of their cost location and lot."""
        if not value_entries:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO stock_cost_balance AS b (item_id, company_id, product_id,
                    cost_location_id, lot_id, quantity, invoiced_quantity,
                    value_actual, value_expected, unit_cost)
                SELECT i.id, i.company_id, i.product_id, e.cost_location_id, e.lot_id,
                       sum(v.ledger_entry_quantity), sum(v.invoiced_quantity),
                       sum(v.cost_amount_actual), sum(v.cost_amount_expected),
                       COALESCE(sum(v.cost_amount_actual + v.cost_amount_expected)
                           / NULLIF(sum(v.ledger_entry_quantity), 0), 0)
                FROM stock_value_entry v
                JOIN stock_ledger_entry e ON e.id = v.ledger_entry_id
                JOIN stock_cost_item i ON i.product_id = e.product_id
                                      AND i.company_id = e.company_id
                WHERE v.id = ANY(%s)
                GROUP BY i.id, e.cost_location_id, e.lot_id
                ON CONFLICT (item_id, cost_location_id, COALESCE(lot_id, 0))
                DO UPDATE SET
                    quantity = b.quantity + EXCLUDED.quantity,
                    invoiced_quantity =
                        b.invoiced_quantity + EXCLUDED.invoiced_quantity,
                    value_actual = b.value_actual + EXCLUDED.value_actual,
                    value_expected = b.value_expected + EXCLUDED.value_expected,
                    unit_cost = COALESCE(
                        (b.value_actual + EXCLUDED.value_actual
                            + b.value_expected + EXCLUDED.value_expected)
                        / NULLIF(b.quantity + EXCLUDED.quantity, 0), b.unit_cost)
                """,
                list(value_entries.ids),
            )
        )
        self.env["stock.cost.balance"].invalidate_model(flush=False)

    def adjustments(self, book, adjustments, fallback_cause, run_ref=None):
        """Return rows of ``stock.value.entry._append`` for a book's adjustments."""
        rows = []
        for adjustment in adjustments:
            entry = book.entries[adjustment.entry_id]
            row = {
                "ledger_entry_id": entry.id,
                "entry_type": adjustment.entry_type,
                "variance_type": adjustment.variance_type or None,
                "cost_amount_actual": self.units.money(adjustment.actual),
                "cost_amount_expected": self.units.money(adjustment.expected),
                "posting_date": adjustment.posting_date,
                "valuation_date": adjustment.valuation_date,
                "valued_by_average": entry.quantity < 0
                and book.item.costing_method == "average"
                and not entry.applies_to,
                "run_ref": run_ref,
            }
            if adjustment.first:
                row.update(self.first_cost(entry, adjustment.entry_type))
            else:
                row["adjustment"] = True
                row["cause_value_entry_id"] = adjustment.cause or fallback_cause
                row["applies_to_value_entry_id"] = adjustment.applies_to_cost or None
                if entry.costs and not row["cause_value_entry_id"]:
                    row["cause_value_entry_id"] = entry.costs[-1].id
            rows.append(row)
        return rows

    def append(self, rows):
        """Append value entries; adjustments of what is new name its first entry.

        A decrease that is covered in part is first recorded at the unit cost and
        adjusted at once: what waits for supply keeps that unit cost.
        """
        ledger = self.env["stock.value.entry"]
        new = {row["ledger_entry_id"] for row in rows if not row.get("adjustment")}
        first = [row for row in rows if not row.get("adjustment")]
        known = [row for row in rows if row["ledger_entry_id"] not in new]
        value_entries = ledger._append(first)
        by_entry = {
            row["ledger_entry_id"]: value.id
            for row, value in zip(first, value_entries, strict=True)
        }
        later = [
            {
                **row,
                "cause_value_entry_id": row["cause_value_entry_id"]
                or by_entry[row["ledger_entry_id"]],
                "applies_to_value_entry_id": by_entry[row["ledger_entry_id"]],
            }
            for row in rows
            if row.get("adjustment") and row["ledger_entry_id"] in new
        ]
        return value_entries | ledger._append(known + later)

    def first_cost(self, entry, entry_type="direct_cost"):
        """Return what an entry's own first cost has that adjustments have not."""
        own = entry_type == "direct_cost"
        return {
            "source_model": "stock.move",
            "expected": not entry.invoiced,
            "ledger_entry_quantity": self.units.number(entry.quantity) if own else 0,
            "invoiced_quantity": self.units.number(entry.invoiced) if own else 0,
        }

    def unit_costs(self, unit_costs):
        """Write the items' unit costs: ``{item id: unit cost in currency}``."""
        if unit_costs:
            self.env.cr.execute_values(
                """
                UPDATE stock_cost_item i SET unit_cost = v.unit_cost
                FROM (VALUES %s) AS v (id, unit_cost)
                WHERE i.id = v.id AND i.unit_cost IS DISTINCT FROM v.unit_cost
                """,
                list(unit_costs.items()),
                template="(%s, %s::numeric)",
                page_size=len(unit_costs),
            )
            self.env["stock.cost.item"].invalidate_model(["unit_cost"], flush=False)


def _columns(rows, number):
    """Return rows as the given number of lists, one for each column."""
    return [list(column) for column in zip(*rows, strict=True)] or [[]] * number
