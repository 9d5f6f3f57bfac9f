"""What differs between the postings of a plan and those that would be made now."""

from datetime import date
from typing import NamedTuple


class Posting(NamedTuple):
    """Where amounts of value entries go: what can change about them.

    ``accounts`` are the debited and the credited one.
    """

    date: date
    accounts: tuple
    analytic: str


class Change(NamedTuple):
    """A difference that value entries have in common.

    ``what`` is ``gone`` (planned, not posted now), ``added`` (posted now, not planned),
    ``amount`` or a field of ``Posting``, whose values are ``before`` and ``after``.
    """

    what: str
    before: object
    after: object
    value_entry_ids: list


def changes(planned, present):
    """Return the ``Change`` list between two dicts, empty if they are equal.

    Both are ``{(value entry id, kind): (Posting, amount)}``; the plan comes first.
    """
    found = {}
    for key in sorted(planned.keys() | present.keys()):
        for difference in _differences(planned.get(key), present.get(key)):
            found.setdefault(difference, []).append(key[0])
    return [Change(*difference, ids) for difference, ids in found.items()]


def _differences(before, after):
    """Return ``[(what, before, after)]`` of one value entry's amount."""
    if before == after:
        return []
    if before is None or after is None:
        return [("added" if before is None else "gone", None, None)]
    fields = zip(Posting._fields, before[0], after[0], strict=True)
    found = [(name, old, new) for name, old, new in fields if old != new]
    if before[1] != after[1]:
        found.append(("amount", None, None))
    return found
