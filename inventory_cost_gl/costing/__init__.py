"""The cost rules: applications, costing methods and cost adjustment.

Plain Python over plain records: no Odoo, no I/O, no clock. The ORM loads a
:class:`~.records.Book`, calls the functions here and stores what they return.

==================  ==========================================================
records.py          the records the rules read and return
rounding.py         exact money: shares and amounts, half away from zero
applications.py     which increase supplies which decrease, valuation dates
layers.py           what a quantity of one increase costs
forwarding.py       cost forwarded along applications
average.py          average cost, perpetual (one running average)
average_period.py   average cost of a day, week, month, quarter or year
adjust.py           what is recorded against what it should be
differences.py      one entry's difference as value entries with their dates
unit_cost.py        the item's unit cost after adjustment
transfers.py        the arrivals of a transfer, layer by layer
receipts.py         what receipts, their invoices and charges state
invoicing.py        expected cost becomes actual when a decrease is invoiced
revaluation.py      what a revaluation covers and its amounts
production.py       what an order's output costs
periods.py          period ends, first open date, automatic adjustment window
==================  ==========================================================
"""
