#!/usr/bin/env python3
"""Look at Odoo's screens: drive a headless Chromium from the command line.

    python tools/browser.py http://127.0.0.1:8069 \\
        goto /odoo/action-stock.action_picking_tree_all \\
        click "text=New" fill "div[name=origin] input" "PO 42" \\
        wait ".o_form_saved" shot build/picking.png

Logs in as admin (--login, --password), then takes the steps in order:

    goto PATH             open a page and wait until it has loaded
    click SELECTOR        click an element
    fill SELECTOR TEXT    type into a field, in place of what it holds
    press KEY             press a key, such as Enter, Tab or Control+a
    wait SELECTOR         wait until an element is visible
    sleep SECONDS         wait
    text SELECTOR         print the text of each matching element
    js EXPRESSION         print the value of a JavaScript expression
    shot FILE             write a screenshot (PNG); --full: of the whole page

A SELECTOR is Playwright's: CSS, "text=Save", "role=button[name='Save']", and
"css >> nth=1" for one of several. Errors of the page's console go to stderr. When
a step fails, build/browser-failed.png shows the page, and the exit code is 1.

As a library: ``with odoo_page(url) as page:`` gives Playwright's logged-in page.
Playwright is in the virtualenv that tools/lint makes, the folder lint of the cache
(~/.cache/inventory_cost_gl): call it with that python.
"""

import argparse
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

FAILED = Path(__file__).parents[1] / "build" / "browser-failed.png"
# Without these Chromium looks for hosts of its own at every start.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


@contextmanager
def odoo_page(url, login="admin", password="admin", size=(1400, 900)):
    """Give a page of Chromium that is logged in to the Odoo at ``url``."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        viewport = {"width": size[0], "height": size[1]}
        page = browser.new_page(base_url=url, viewport=viewport)
        page.set_default_timeout(20_000)
        page.on("console", report_error)
        page.goto("/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password)
        page.click("form.oe_login_form button[type=submit]")
        page.wait_for_selector(".o_main_navbar")
        yield page
        browser.close()


def report_error(message):
    """Print what the page logged as an error."""
    if message.type == "error":
        print("console:", message.text, file=sys.stderr)


def go_to(page, path):
    """Open a page of the web client, or of the website, and wait for its content."""
    page.goto(path)
    page.wait_for_selector(".o_action, #wrapwrap")
    page.wait_for_timeout(500)


def run(page, steps, full_page=False):
    """Take the steps, a list of words, on the page."""
    actions = {
        "goto": (1, lambda path: go_to(page, path)),
        "click": (1, page.click),
        "fill": (2, page.fill),
        "press": (1, page.keyboard.press),
        "wait": (1, page.wait_for_selector),
        "sleep": (1, lambda seconds: page.wait_for_timeout(float(seconds) * 1000)),
        "text": (1, lambda s: print(*page.locator(s).all_inner_texts(), sep="\n")),
        "js": (1, lambda expression: print(page.evaluate(expression))),
        "shot": (1, lambda file: page.screenshot(path=file, full_page=full_page)),
    }
    words = iter(steps)
    for word in words:
        count, action = actions[word]
        action(*(next(words) for _argument in range(count)))


def main():
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--login", default="admin")
    parser.add_argument("--password", default="admin")
    parser.add_argument("--size", default="1400x900", help="of the window, in pixels")
    parser.add_argument("--full", action="store_true", help="shots of the whole page")
    parser.add_argument("url")
    parser.add_argument("steps", nargs="+")
    args = parser.parse_args()
    size = tuple(map(int, args.size.split("x")))
    with odoo_page(args.url, args.login, args.password, size) as page:
        try:
            run(page, args.steps, args.full)
        except Error as error:
            page.screenshot(path=FAILED)
            print(f"{error}\nsee {FAILED}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
