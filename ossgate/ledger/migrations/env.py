"""Alembic's entry: run the migrations on the connection that ``ossgate.ledger.upgrade`` hands over."""

from alembic import context

from ossgate.ledger.tables import metadata

# The caller holds the lock and the transaction: all of an upgrade happens or none of it.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
