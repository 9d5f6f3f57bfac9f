"""Validating a delivery: each method, beside Odoo's own, on histories of all sizes."""

from odoo import Command

from . import histories
from .company import KINDS, MANAGED
from .database import environment
from .measure import Line, Stopwatch, median, peak_mib

# What Odoo takes without any costing; goods by lot have a floor of their own.
FLOOR = "periodic standard"
FLOORS = {"specific": "periodic standard by lot"}
ROUNDS = 40


def validate(database, scale):
    """One line for each kind of product and size of history."""
    sizes = [max(int(size * scale) // 10 * 10, 20) for size in (100, 1_000, 10_000)]
    sizes = list(dict.fromkeys(sizes))
    for size in sizes:
        histories.write(database, histories.steady(size))
    with environment(database) as env:
        times = _validate_all(env, sizes, max(round(ROUNDS * scale), 3))
    for (kind, size), seconds in times.items():
        growth = _ratio(seconds, times[kind, sizes[0]])
        ours = kind in MANAGED
        yield Line(
            f"Validate a delivery, {kind}, {size:,} moves before",
            median(seconds),
            growth,
            f"the same with {sizes[0]} moves before",
            peak_mib(),
            "≤ 1.2 ×" if ours else "",
            growth <= 1.2 if ours else None,
        )
    for kind in MANAGED:
        # Of all sizes: a single measurement is as often 20 % off.
        durations, floors = (
            [second for size in sizes for second in times[name, size]]
            for name in (kind, FLOORS.get(kind, FLOOR))
        )
        ratio = _ratio(durations, floors)
        yield Line(
            f"Validate a delivery, {kind}",
            median(durations),
            ratio,
            FLOORS.get(kind, FLOOR),
            peak_mib(),
            "≤ 1.15 ×",
            ratio <= 1.15,
        )


def _ratio(durations, others):
    """Return the median ratio of what was measured in the same round."""
    return median([one / other for one, other in zip(durations, others, strict=True)])


def _validate_all(env, sizes, rounds):
    """Return ``{(kind, size): [seconds]}``: taken in turns, all see the same."""
    keys = [(kind, size) for size in sizes for kind in KINDS]
    products = {
        key: env["product.product"].search(
            [("default_code", "=", f"{key[1]} moves"), ("categ_id.name", "=", key[0])]
        )
        for key in keys
    }
    durations = {key: [] for key in keys}
    for _round in range(rounds + 1):
        for key in keys:
            durations[key].append(deliver(env, products[key]))
    return {key: seconds[1:] for key, seconds in durations.items()}


def deliver(env, product):
    """Return the seconds that validating a delivery of 1 takes, commit included."""
    warehouse = env["stock.warehouse"].search(
        [("company_id", "=", env.company.id)], limit=1
    )
    places = {
        "location_id": warehouse.lot_stock_id.id,
        "location_dest_id": env.ref("stock.stock_location_customers").id,
    }
    picking = env["stock.picking"].create(
        {
            "picking_type_id": warehouse.out_type_id.id,
            **places,
            "move_ids": [
                Command.create(
                    {"product_id": product.id, "product_uom_qty": 1, **places}
                )
            ],
        }
    )
    picking.action_confirm()
    picking.action_assign()
    picking.move_ids.picked = True
    env.cr.commit()
    env.invalidate_all()
    with Stopwatch() as watch:
        picking.button_validate()
        env.cr.commit()
    if picking.state != "done":
        raise RuntimeError(f"the delivery of {product.name} is {picking.state}")
    return watch.seconds
