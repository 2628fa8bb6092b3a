"""The database that profiles, ledger and experiments share: schema, engine, migrations, dialect differences."""
