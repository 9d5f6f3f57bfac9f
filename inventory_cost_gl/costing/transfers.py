"""The arrivals of a transfer: one per layer it carries (rule 3)."""

from .applications import net_applications
from .records import AVERAGE


def arrivals(book, departure):
    """What of a transfer's departure still has to arrive: ``[(layer id, quantity)]``.

    FIFO, LIFO, specific and standard: a row per layer taken; what waits for
    supply is a row with layer 0, the provisional arrival. An average item
    arrives as one entry. Quantities that have an arrival already are left out.
    """
    arrived = {}
    for entry in book.entries.values():
        if entry.applies_from == departure.id:
            layer = entry.transferred_from
            arrived[layer] = arrived.get(layer, 0) + entry.quantity
    rows = _carried(book, departure)
    todo = [(layer, quantity - arrived.get(layer, 0)) for layer, quantity in rows]
    return [(layer, quantity) for layer, quantity in todo if quantity > 0]


def _carried(book, departure):
    if book.item.costing_method == AVERAGE:
        return [(0, -departure.quantity)]
    rows = {}
    for application in net_applications(book.applications):
        if application.outbound_id == departure.id:
            layer = application.inbound_id
            rows[layer] = rows.get(layer, 0) + application.quantity
    if departure.remaining:
        rows[0] = -departure.remaining
    return list(rows.items())
