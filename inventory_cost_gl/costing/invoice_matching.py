"""Which bill or invoice line invoices which ledger entry of an order line.

Odoo links bills and invoices to order lines only. Here their quantities are spread
over the ledger entries of the order line: bills over receipts in the order in which
they came, credit notes over returns; without a return a credit note makes room for the
bill that replaces what it credits. What has been recorded stays where it is, so that
resetting one document never moves another's cost; only a credit note moves on to the
return it is for when that comes later.

Quantities are integers (millionths), in the order's direction: a receipt or delivery,
a bill or invoice is positive; a return, a credit note negative.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Line:
    """A ledger entry or a document line with its signed quantity."""

    id: object
    quantity: int


@dataclass(slots=True)
class Matching:
    """What ``match`` works on: what is free of each entry and each document line."""

    entries: dict
    documents: dict
    matched: dict = field(default_factory=dict)

    def put(self, document, entry, quantity):
        """Invoice ``quantity`` of the entry with the document line."""
        if quantity:
            key = (document, entry)
            self.matched[key] = self.matched.get(key, 0) + quantity
            self.entries[entry] -= quantity
            self.documents[document] -= quantity


def _same_direction(free, quantity):
    """Return the part of ``quantity`` that fits into ``free``: 0 if signs differ."""
    if free > 0 < quantity:
        return min(free, quantity)
    if free < 0 > quantity:
        return max(free, quantity)
    return 0


def match(entries, documents, recorded):
    """Return ``{(document id, entry id): quantity}``, what each document invoices.

    ``entries`` and ``documents`` are ``Line`` lists in order; ``recorded`` is the same
    mapping as recorded so far. Documents that are gone are not in ``documents``: their
    recorded quantities are freed. Quantities that fit nowhere wait (they are billed
    before the receipt) and are not in the result.
    """
    matching = Matching(
        {entry.id: entry.quantity for entry in entries},
        {document.id: document.quantity for document in documents},
    )
    _keep_recorded(matching, entries, documents, recorded)
    _move_credits_to_returns(matching, entries, documents)
    # What a credit note un-invoices makes room for a bill that waits, and a bill for
    # a credit note.
    while _place(matching, entries, documents):
        pass
    return {key: quantity for key, quantity in matching.matched.items() if quantity}


def match_written_off(entries, documents, recorded, written_off):
    """Like ``match``, where remainders have been written off: ``{entry id: quantity}``.

    Documents invoice what is not written off first; one that comes late all the same
    takes the write-off's place. Return the matches and what stays written off.
    """
    if not written_off:
        return match(entries, documents, recorded), {}
    left = [Line(e.id, e.quantity - written_off.get(e.id, 0)) for e in entries]
    matched = match(left, documents, recorded)
    matched = match(entries, documents, matched)
    free = free_quantities(entries, matched)
    stays = {
        entry_id: _same_direction(free[entry_id], quantity)
        for entry_id, quantity in written_off.items()
    }
    return matched, {
        entry_id: quantity for entry_id, quantity in stays.items() if quantity
    }


def free_quantities(entries, matched):
    """Return ``{entry id: quantity}``, what nothing has invoiced of each entry.

    ``matched``: ``{(source, entry id): quantity}``.
    """
    free = {entry.id: entry.quantity for entry in entries}
    for (_source, entry_id), quantity in matched.items():
        free[entry_id] -= quantity
    return free


def _keep_recorded(matching, entries, documents, recorded):
    """Leave recorded quantities where they are, as far as the documents still cover
    them and the entries' quantities allow; what is too much leaves the last ones."""
    for entry in entries:
        for document in documents:
            matching.put(
                document.id,
                entry.id,
                _same_direction(
                    matching.documents[document.id],
                    recorded.get((document.id, entry.id), 0),
                ),
            )
        for document in reversed(documents):
            free = matching.entries[entry.id]
            # Invoiced beyond its quantity, or credited beyond what is invoiced.
            excess = _outside(entry.quantity - free, entry.quantity)
            kept = matching.matched.get((document.id, entry.id), 0)
            matching.put(document.id, entry.id, -_same_direction(kept, excess))


def _outside(quantity, limit):
    """Return how far a quantity lies outside of the range from 0 to the limit."""
    low, high = min(limit, 0), max(limit, 0)
    return quantity - max(low, min(quantity, high))


def _move_credits_to_returns(matching, entries, documents):
    """Let credit notes that came before the return they are for go on to it."""
    for back in (entry for entry in entries if entry.quantity < 0):
        for forth in (entry for entry in entries if entry.quantity > 0):
            for document in documents:
                credited = min(0, matching.matched.get((document.id, forth.id), 0))
                moved = max(
                    credited, matching.entries[back.id], -matching.entries[forth.id]
                )
                matching.put(document.id, forth.id, -moved)
                matching.put(document.id, back.id, moved)


def _place(matching, entries, documents):
    """Spread what is free of the documents over what is free of the entries.

    Credit notes that find no return un-invoice what was invoiced last. Return whether
    anything was placed.
    """
    before = dict(matching.documents)
    for document in documents:
        for entry in entries:
            free = _same_direction(
                matching.entries[entry.id], matching.documents[document.id]
            )
            matching.put(document.id, entry.id, free)
        for entry in reversed(entries):
            if entry.quantity > 0:
                invoiced = entry.quantity - matching.entries[entry.id]
                credited = max(min(0, matching.documents[document.id]), -invoiced)
                matching.put(document.id, entry.id, credited)
    return matching.documents != before


def set_off(entries, matched):
    """Return ``{(return id, entry id): quantity}``: returns of what was never invoiced.

    A return that no credit note took up, and receipts or deliveries that no bill or
    invoice took up, settle each other at their expected cost, so that the interim
    accounts clear. The same quantity stands on both: positive on the entry, negative
    on the return itself, under the key ``(return id, return id)``.
    """
    free = free_quantities(entries, matched)
    settled = {}
    for back in (entry for entry in entries if entry.quantity < 0):
        for forth in (entry for entry in entries if entry.quantity > 0):
            quantity = min(-free[back.id], free[forth.id])
            if quantity > 0:
                free[back.id] += quantity
                free[forth.id] -= quantity
                settled[back.id, forth.id] = quantity
                own = settled.get((back.id, back.id), 0)
                settled[back.id, back.id] = own - quantity
    return settled
