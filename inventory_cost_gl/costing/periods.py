"""Period ends, first open date and the window of automatic adjustment."""

from datetime import date, timedelta

MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _month_end(day):
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return following - timedelta(days=1)


def period_end(day, period):
    """Last day of the average cost period that holds ``day``.

    ``period`` is transaction or day (the day itself), week (ends on Sunday),
    month, quarter or year.
    """
    if period == "week":
        return day + timedelta(days=6 - day.weekday())
    months = MONTHS.get(period)
    if not months:
        return day
    last_month = day.month + (-day.month) % months
    return _month_end(date(day.year, last_month, 1))


def period_start(day, period):
    """First day of the average cost period that holds ``day``."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    months = MONTHS.get(period)
    if not months:
        return day
    return date(day.year, day.month - (day.month - 1) % months, 1)


def average_start(day, settings):
    """First day from which an average that changes on ``day`` is worked out anew.

    The start of its period, not before the day from which the settings count.
    """
    start = period_start(day, settings.average_cost_period)
    since = settings.average_cost_since
    return max(start, since) if since else start


def _months_before(day, months):
    total = day.year * 12 + day.month - 1 - months
    first = date(total // 12, total % 12 + 1, 1)
    return first.replace(day=min(day.day, _month_end(first).day))


def adjustment_window_start(day, automatic_cost_adjustment):
    """Earliest date an automatic adjustment run on ``day`` reaches back to.

    None means that nothing is adjusted automatically (``never``); ``always``
    reaches back to the beginning of time (reference d.2).
    """
    if automatic_cost_adjustment == "never":
        return None
    if automatic_cost_adjustment == "always":
        return date.min
    if automatic_cost_adjustment in MONTHS:
        return _months_before(day, MONTHS[automatic_cost_adjustment])
    return day - timedelta(days={"day": 1, "week": 7}[automatic_cost_adjustment])


def first_open_date(closed_until, earliest_posting_date=None):
    """First date open for posting, None if every date is.

    The later of the day after the last closed period and the earliest posting
    date (reference d.9).
    """
    after_closed = closed_until + timedelta(days=1) if closed_until else None
    dates = [day for day in (after_closed, earliest_posting_date) if day]
    return max(dates) if dates else None


def open_date(day, first_open):
    """``day`` if it is open for posting, else the first open date."""
    return first_open if first_open and day < first_open else day
