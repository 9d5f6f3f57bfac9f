"""One engine, one path: costing documents and Adjust Cost (DESIGN §§ 6, 7)."""

from datetime import date, timedelta
from itertools import pairwise

from odoo import fields

from ..costing.adjust import adjust
from ..costing.applications import apply_open
from ..costing.periods import adjustment_window_start
from ..costing.rounding import amount_of
from ..costing.transfers import arrivals as arrivals_of
from .applied import Applied
from .load import Loader
from .plain import PlainLoader
from .project import project, project_own_moves
from .store import Store
from .unit_costs import UnitCosts
from .units import Units

# A document whose change reaches more ledger entries than this leaves their cost to a
# worker; about a tenth of a second.
INLINE_ENTRIES = 2000
# What is asked of value entries that are forwarded.
CAUSE_FIELDS = ("product_id", "valuation_date", "entry_type", "ledger_entry_id")


class CostUpdate:
    """Costs ledger entries and forwards value entries of one company.

    The caller holds the locks of the items it hands over.
    """

    def __init__(self, company, env, run=None):
        self.company = company.with_env(env)
        self.env = env
        self.run_ref = run.id if run else None
        self.until = run.adjust_until if run else None
        self.units = Units(company.currency_id)
        self.store = Store(self.company, self.units)
        self.unit_costs = UnitCosts(self.store)
        first_open = env["inventory.period"]._earliest_open_date(company)
        self.loader = PlainLoader(self.company, self.units, first_open)
        self.always = company.automatic_cost_adjustment == "always"

    # ------------------------------------------------------------------
    # Documents
    # ------------------------------------------------------------------

    def run_now(self, items, value_entries, entries, arrivals):
        """Cost a document's entries of the items at once.

        What the setting Automatic Cost Adjustment leaves for later is queued, and a
        change that reaches far is left to a worker.
        """
        queued = items.filtered("queued")
        queue = self.env["stock.cost.queue"]
        pending = queue._of_items(queued, uncounted=not self.always)
        items.invalidate_recordset(["queued"], flush=False)
        reached = self._reached(items, value_entries, entries, queued.product_id)
        free = items - items._of(pending)
        rest = items - self._cost_plain(free, reached, value_entries, entries)
        if not rest:
            return
        products = rest.product_id
        stated = value_entries.filtered(lambda value: value.product_id in products)
        entries = entries.filtered(lambda entry: entry.product_id in products)
        if self._reaches_far(rest, stated | pending.value_entry_id, entries):
            self.run_later(stated, entries, arrivals)
        else:
            reached &= rest
            self._cost_fully(rest, reached, stated, entries, arrivals, pending)

    def _cost_plain(self, items, reached, value_entries, entries):
        """Cost the new entries of the items for which little has to be loaded.

        Their cost flows to nothing that was there before. Return these items.
        """
        books = self.loader.plain_books(items, entries)
        items = items.filtered(lambda item: item.product_id.id in books)
        if not items:
            return items
        stated = value_entries.filtered(lambda value: value.product_id.id in books)
        entries = entries.filtered(lambda entry: entry.product_id.id in books)
        self.store.balances(stated)
        before = _open_state(books)
        for book in books.values():
            apply_open(book)
        self.store.applications(books.values(), before)
        self.loader.ready_for_costing(books, reached.product_id.ids)
        costed = self._adjust_books(books, stated.browse(), entries)
        reached &= items
        self._leave_for_later(items - reached, stated, entries, Applied(self.env))
        self._show(items, reached, entries, stated | costed, stated)
        return items

    def _cost_fully(self, items, reached, stated, entries, arrivals, pending):
        """Cost the new entries of the items, and forward what is stated or queued."""
        due = pending.filtered(lambda row: row.product_id in reached.product_id)
        self.store.balances(stated | pending._take_uncounted())
        applied = Applied(self.env, entries)
        if entries or due:
            self._apply(items, arrivals, applied)
        entries |= applied.arrivals
        causes = stated | due.value_entry_id
        adjusted = self._adjust(items, causes, entries, applied, reached)
        due._remove()
        self._leave_for_later(items - reached, stated, entries, applied)
        self._show(items, reached, entries, stated | adjusted, causes)

    def _reaches_far(self, items, causes, entries):
        """Say whether more entries than INLINE_ENTRIES would have to be loaded."""
        seeds = {*causes.ledger_entry_id.ids, *entries.ids}
        from_dates = self._from_dates(causes, entries, Applied(self.env))
        books = self.loader.new_books(items)
        affected = self.loader.affected_ids(books, seeds, from_dates, INLINE_ENTRIES)
        return len(affected) > INLINE_ENTRIES

    def _show(self, items, adjusted, entries, recorded, causes):
        """Write unit costs and the values of moves.

        ``entries``: the new ledger entries, ``recorded``: all new value entries.
        """
        changed = self.unit_costs.update(items, adjusted, causes)
        earlier = (recorded | causes).ledger_entry_id - entries
        earlier |= project_own_moves(entries, recorded)
        project(self.company, changed, earlier)

    def _leave_for_later(self, items, stated, new_entries, applied):
        """Queue what a document changed of items that no automatic adjustment reaches.

        Its decreases have a cost, but a run looks at them once more: what they are
        applied to may wait for a run itself.
        """
        products = items.product_id
        queue = self.env["stock.cost.queue"]
        queue._enqueue(
            stated.filtered(lambda value: value.product_id in products), counted=True
        )
        queue._enqueue_entries(
            {
                *applied.covered_of(products),
                *new_entries.filtered(lambda entry: entry.product_id in products).ids,
            }
        )

    def _reached(self, items, stated, entries, waiting):
        """Return the items that are adjusted automatically (rule d.2).

        An item of which anything waits for a run waits with what comes later too;
        ``waiting``: the products of these items.
        """
        items = items.filtered(lambda item: not item.excluded)
        today = self.company._inventory_posting_date(fields.Datetime.now())
        start = adjustment_window_start(today, self.company.automatic_cost_adjustment)
        if start is None:
            return items.browse()
        if start == date.min:
            return items
        average = items.filtered(lambda item: item._is_average()).product_id
        late = waiting
        dates = [(v.product_id, v.valuation_date, v.ledger_entry_id) for v in stated]
        dates += [(entry.product_id, entry.valuation_date, entry) for entry in entries]
        for product, valued, entry in dates:
            if (valued if product in average else entry.posting_date) < start:
                late |= product
        return items.filtered(lambda item: item.product_id not in late)

    def run_later(self, value_entries, entries, arrivals):
        """Give entries of busy items their provisional cost and queue them all."""
        if not (value_entries or entries):
            return
        entries |= self.store.arrivals(
            (entry.id, arrivals[entry.id], 0, -entry.quantity)
            for entry in entries
            if entry.id in arrivals
        )
        uncosted = entries - value_entries.ledger_entry_id
        unit_costs = self.env["stock.cost.item"]._unit_costs(uncosted)
        rows = []
        for record in uncosted:
            quantity = self.units.quantity(record.quantity)
            cost = self.units.unit_cost(unit_costs.get(record.product_id.id, 0.0))
            amount = float(self.units.money(amount_of(quantity, cost)))
            invoiced = not record._is_invoiceable()
            rows.append(
                {
                    **self._first_source(record),
                    "ledger_entry_id": record.id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": amount if invoiced else 0.0,
                    "cost_amount_expected": 0.0 if invoiced else amount,
                    "invoiced_quantity": record.quantity if invoiced else 0.0,
                    "ledger_entry_quantity": record.quantity,
                    "expected": not invoiced,
                    "posting_date": record.posting_date,
                }
            )
        value_entries |= self.env["stock.value.entry"]._append(rows)
        project_own_moves(entries, value_entries)
        self.env["stock.cost.queue"]._enqueue(value_entries, counted=False)
        self.env["stock.cost.queue"]._trigger_workers()

    # ------------------------------------------------------------------
    # Adjust Cost
    # ------------------------------------------------------------------

    def adjust(self, items):
        """Adjust everything that is queued for the items; return value entries."""
        if not items:
            return self.env["stock.value.entry"]
        pending = self.env["stock.cost.queue"]._of_items(items)
        applied = Applied(self.env)
        self._apply(items, {}, applied)
        self.store.balances(pending._take_uncounted())
        value_entries = self._adjust(
            items, pending.value_entry_id, applied.arrivals, applied, items
        )
        self.unit_costs.update(items, items, pending.value_entry_id)
        changed = pending.value_entry_id | value_entries
        earlier = applied.arrivals | changed.ledger_entry_id
        project(self.company, items, earlier)
        (pending - self._put_off(items, pending))._remove()
        return value_entries

    def _put_off(self, items, pending):
        """Return the queue rows that stay, as their run ends before the last entry.

        They are those of average items that have entries valued later, and wait from
        the day after the run's last one (reference d.11).
        """
        if not self.until:
            return pending.browse()
        averages = items.filtered(lambda item: item._is_average()).product_id
        later = self.env["stock.ledger.entry"]._read_group(
            [
                ("company_id", "=", self.company.id),
                ("product_id", "in", averages.ids),
                ("valuation_date", ">", self.until),
            ],
            ["product_id"],
        )
        unfinished = averages.browse(product.id for (product,) in later)
        rows = pending.filtered(lambda row: row.product_id in unfinished)
        rows.filtered(lambda row: row.valuation_date <= self.until).write(
            {"valuation_date": self.until + timedelta(days=1)}
        )
        return rows

    def catch_up(self, items):
        """Do what documents would have done themselves, had the items been free.

        For workers where cost is not adjusted automatically, or not so far back: the
        entries that got a provisional cost get their own; what else is queued waits.
        """
        if not items:
            return
        pending = self.env["stock.cost.queue"]._of_items(items)
        late = pending.filtered(lambda row: not row.counted)
        none = self.env["stock.ledger.entry"]
        applied = Applied(self.env)
        self._apply(items, {}, applied)
        self.store.balances(pending._take_uncounted())
        value_entries = late.value_entry_id
        entries = value_entries.ledger_entry_id | applied.arrivals
        waiting = (pending - late).filtered("value_entry_id").product_id
        reached = self._reached(items, value_entries, none, waiting)
        adjusted = self._adjust(items, value_entries, entries, applied, reached)
        self.unit_costs.update(items, reached, value_entries)
        project(self.company, items, entries | adjusted.ledger_entry_id)
        pending.filtered(
            lambda row: not row.value_entry_id or row.product_id in reached.product_id
        )._remove()

    # ------------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------------

    def _apply(self, items, arrivals, applied):
        """Apply open entries; record the arrivals of transfers, and apply those."""
        waiting = self.loader.waiting(items)
        todo = items.filtered(lambda item: item.product_id.id in waiting)
        while todo:
            books = self.loader.new_books(todo)
            self.loader.load_open(books)
            before = _open_state(books)
            for book in books.values():
                applied.note(book, apply_open(book), before)
            self.store.applications(books.values(), before)
            new = self.store.arrivals(
                (entry_id, location_id, layer, self.units.number(quantity))
                for book in books.values()
                for entry_id in sorted(set(book.entries) & set(arrivals))
                for location_id in [arrivals.pop(entry_id)]
                for layer, quantity in arrivals_of(book, book.entries[entry_id])
            )
            applied.arrivals |= new
            todo = items.filtered(
                lambda item, new=new: item.product_id in new.product_id
            )

    def _adjust(self, items, causes, new_entries, applied, reached):
        """Append what the entries should cost now and is not recorded.

        ``causes``: the value entries to forward, and ``applied`` the decreases covered
        now, both as far as they are of the items ``reached``; ``new_entries`` get
        their first cost in any case.
        """
        products = reached.product_id
        # One query, of no more columns than are used.
        causes.fetch(CAUSE_FIELDS)
        if reached != items:
            causes = causes.filtered(lambda value: value.product_id in products)
        covered = applied.covered_of(products)
        seeds = {*causes.ledger_entry_id.ids, *new_entries.ids, *covered}
        value_entries = self.env["stock.value.entry"]
        if seeds:
            # A decrease that takes one receipt's cost out of an average changes it for
            # all that is valued with that receipt.
            averages = reached.filtered(lambda item: item._is_average()).product_id
            fixed = new_entries.filtered("applies_to_entry_id").product_id & averages
            forwarded = {*causes.product_id.ids, *covered.values(), *fixed.ids}
            from_dates = self._from_dates(causes, new_entries, applied)
            used_up = applied.used_up_of(reached.product_id)
            for loader, due in self._average_loaders(items, from_dates):
                books = loader.new_books(due)
                loader.load_affected(books, seeds, from_dates)
                for product_id, book in books.items():
                    if self.until:
                        # what arrived has no cost yet, however late it is valued
                        book.affected |= set(new_entries.ids) & book.entries.keys()
                    if product_id not in forwarded:
                        book.affected &= {*new_entries.ids, *used_up}
                value_entries |= self._adjust_books(books, causes, new_entries)
        return value_entries

    def _average_loaders(self, items, from_dates):
        """Yield ``(loader, items)``, oldest first: a loader per average cost setting.

        Average items that changed before the setting in force counts are adjusted by
        the setting of those days, and then from its first day on.
        """
        for setting, following in pairwise(self.company._average_settings()):
            due = items.filtered(
                lambda item, until=following.since: (
                    item._is_average()
                    and from_dates.get(item.product_id.id, until) < until
                )
            )
            if due:
                yield (
                    Loader(
                        self.company,
                        self.units,
                        self.loader.settings.first_open_date,
                        setting,
                        following.since,
                    ),
                    due,
                )
                new = self.env["inventory.average.setting"].browse(following.id)
                new._divide_pools(setting, due.product_id)
        if self.until:
            averages = items.filtered(lambda item: item._is_average())
            after = self.until + timedelta(days=1)
            first_open = self.loader.settings.first_open_date
            yield Loader(self.company, self.units, first_open, until=after), averages
            items -= averages
        yield self.loader, items

    def _adjust_books(self, books, causes, new_entries):
        """Append what the affected entries of the books should cost now."""
        rows = []
        fallback = {value.product_id.id: value.id for value in causes.sorted("id")}
        invoiced_at_once = {
            entry.id for entry in new_entries if not entry._is_invoiceable()
        }
        for product_id, book in books.items():
            for entry in book.entries.values():
                if entry.id in invoiced_at_once and not entry.costs:
                    entry.invoiced = entry.quantity
            adjustments = adjust(book)
            book_rows = self.store.adjustments(
                book, adjustments, fallback.get(product_id), self.run_ref
            )
            for row in book_rows:
                if "source_model" in row:
                    row.update(
                        self._first_source(new_entries.browse(row["ledger_entry_id"]))
                    )
            rows += book_rows
        value_entries = self.store.append(rows)
        self.store.balances(value_entries)
        return value_entries

    def _from_dates(self, causes, new_entries, applied):
        """Return the earliest valuation date that changed, per product."""
        causes.fetch(CAUSE_FIELDS)
        causes.ledger_entry_id.fetch(["valuation_date"])
        dates = [
            (
                cause.product_id.id,
                cause.valuation_date
                if cause.entry_type == "revaluation"
                else min(cause.valuation_date, cause.ledger_entry_id.valuation_date),
            )
            for cause in causes
        ]
        dates += [(e.product_id.id, e.valuation_date) for e in new_entries]
        dates += applied.dates
        from_dates = {}
        for product_id, day in dates:
            from_dates[product_id] = min(day, from_dates.get(product_id, day))
        return from_dates

    def _first_source(self, record):
        return {
            "source_model": "stock.move",
            "source_id": record.stock_move_id.id,
            "source_ref": record.origin or None,
        }


def _open_state(books):
    """Return ``{entry id: (remaining, valuation date)}``, which applying changes."""
    return {
        entry.id: (entry.remaining, entry.valuation_date)
        for book in books.values()
        for entry in book.entries.values()
    }
