#!/usr/bin/env python3
"""Compare two JUnit reports of the same tests.

Usage: compare_outcomes.py WITHOUT.xml WITH.xml

Prints each test whose outcome differs and the number of tests per outcome; the
last line tells the number of tests and of differences. The exit code is 1 when
a test differs, is missing in one report, or when there are no tests at all.
"""

import sys
from collections import Counter
from xml.etree import ElementTree

# The worst outcome wins when a test has several, as one with subtests does.
SEVERITY = ("passed", "skipped", "failed", "error")
ELEMENTS = {"skipped": "skipped", "failure": "failed", "error": "error"}


def read_outcomes(path):
    """Return ``{test: outcome}`` of a report."""
    outcomes = {}
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        found = [ELEMENTS[child.tag] for child in case if child.tag in ELEMENTS]
        found.append(outcomes.get(name, "passed"))
        outcomes[name] = max(found, key=SEVERITY.index)
    return outcomes


def main(path_without, path_with):
    """Print the comparison and return the exit code."""
    without = read_outcomes(path_without)
    with_addon = read_outcomes(path_with)
    tests = sorted(without.keys() | with_addon.keys())
    pairs = {
        test: tuple(run.get(test, "not run") for run in (without, with_addon))
        for test in tests
    }
    differing = {test: pair for test, pair in pairs.items() if pair[0] != pair[1]}
    for test, (before, after) in differing.items():
        print(f"{test}: {before} without the addon, {after} with it")
    print(f"{'outcome':10}{'without':>9}{'with':>9}")
    counts = [Counter(pair[side] for pair in pairs.values()) for side in (0, 1)]
    for outcome in (*SEVERITY, "not run"):
        print(f"{outcome:10}{counts[0][outcome]:9}{counts[1][outcome]:9}")
    print(f"{len(tests)} tests of Odoo, {len(differing)} with another outcome")
    return 1 if differing or not tests else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
