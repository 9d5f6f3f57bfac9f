"""Scratch databases: made, copied and dropped; and Odoo's environment in one."""

import os
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import sql

PREFIX = "inventory_cost_bench"


@contextmanager
def superuser(database="postgres"):
    """Yield a cursor of PostgreSQL's superuser; what it did is committed at the end.

    Foreign keys are not checked meanwhile: bulk data is right by construction.
    """
    connection = psycopg2.connect(
        host=os.environ["PGHOST"], user="postgres", dbname=database
    )
    with closing(connection), connection, connection.cursor() as cr:
        cr.execute("SET session_replication_role = replica")
        yield cr


def administer(query, *names):
    """Run a statement about whole databases, which needs to be in no transaction."""
    connection = psycopg2.connect(
        host=os.environ["PGHOST"], user=os.environ["PGUSER"], dbname="postgres"
    )
    with closing(connection):
        connection.autocommit = True
        with connection.cursor() as cr:
            cr.execute(sql.SQL(query).format(*map(sql.Identifier, names)))


@contextmanager
def copy_of(template, name):
    """Yield the name of a copy of a database, which is dropped at the end."""
    drop(name)
    administer("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
    # Or the disk would still be busy with the copy while something is measured.
    os.sync()
    try:
        yield name
    finally:
        drop(name)


def drop(name):
    """Drop a database, whoever is still connected."""
    administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def start_odoo(database):
    """Load Odoo and its settings; before that nothing of it can be imported."""
    import odoo.init
    from odoo.tools import config

    config.parse_config(["-d", database, "--no-http", "--log-level=error"])
    return odoo.init


@contextmanager
def environment(database, company=True):
    """Yield Odoo's environment of the administrator in the benchmarks' company.

    Without ``company`` that of the system: the company is still to be made.
    """
    from odoo import api
    from odoo.modules.registry import Registry

    registry = Registry(database)
    with registry.cursor() as cr:
        env = api.Environment(cr, api.SUPERUSER_ID, {})
        yield in_company(env) if company else env


def in_company(env):
    """Return the environment in the benchmarks' company, the newest of all."""
    company = env["res.company"].search([], order="id desc", limit=1)
    user = env.ref("base.user_admin")
    return env(user=user.id, context={"allowed_company_ids": company.ids})
