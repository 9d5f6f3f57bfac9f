"""What the speed table of the README is made with: ``make bench``.

``tools/bench`` builds a scratch database once (``company``, ``histories``) and runs
each group of ``LINES`` in a process and a copy of the database of its own, so that no
line warms up another and each has a peak memory to state. ``SCALE=0.02 make bench``
does the same with 2 % of the data, to try it: the bars are those of the full size.
"""

# module.function of this package, in the order of the table.
LINES = (
    "adjust.everything",
    "adjust.late_bill",
    "picking.validate",
    "posting.posting_group",
    "posting.document",
    "posting.entry",
    "reports.valuation",
    "reports.reconciliation",
    "parallel.wait",
)
