"""Pure functions from published files to Arrow tables: no Prefect, no network, no clock, no settings."""
