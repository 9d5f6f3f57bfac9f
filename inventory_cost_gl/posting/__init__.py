"""Posting inventory cost to the general ledger: the rules, in plain Python."""
