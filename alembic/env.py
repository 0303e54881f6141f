"""Run by Alembic, never imported. This folder must not have an __init__.py."""

from alembic import context
from sqlalchemy import Connection

from retrieval import settings
from retrieval.catalog.engine import Database
from retrieval.catalog.tables import Base


def is_ours(_object, name, _type, _reflected, _compare_to):
    # Full-text search differs between databases and is kept by hand in the migrations.
    return name is None or not name.startswith("report_fts")


def run(connection: Connection):
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=is_ours,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Database(settings.load().catalog_url).connecting(write=True) as connection:
        run(connection)
