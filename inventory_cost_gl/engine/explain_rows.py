"""Rows of *Why This Cost?*: what they stand for, and their quantity and amount.

Quantities are in millionths, amounts in units of the currency's rounding.
"""

# Rows behind one row at most; what is more is one row.
MOST_ROWS = 500


def layer_row(entry, start, end, amount):
    """Units of an increase."""
    return {
        "kind": "layer",
        "ledger_entry_id": entry.id,
        "start": start,
        "end": end,
        "quantity": end - start,
        "amount": amount,
    }


def decrease_row(entry, quantity, amount):
    """A part of a decrease; negative where it takes off what is explained."""
    return {
        "kind": "decrease",
        "ledger_entry_id": entry.id,
        "quantity": quantity,
        "amount": amount,
    }


def total_of(entry):
    """What is recorded on an entry, actual and expected."""
    return sum(cost.actual + cost.expected for cost in entry.costs)


def rest_row(reason, quantity, amount, entry_id=None):
    """A row that nothing is behind; ``reason`` says why."""
    return {
        "kind": "rest",
        "source": reason,
        "ledger_entry_id": entry_id,
        "quantity": quantity,
        "amount": amount,
    }


def summed(rows):
    """The first rows, and one for the sum of all others."""
    shown, others = rows[:MOST_ROWS], rows[MOST_ROWS:]
    if others:
        quantity = sum(row["quantity"] for row in others)
        amount = sum(row["amount"] for row in others)
        shown.append(rest_row("more", quantity, amount))
    return shown
