"""Tests that may start a server (PostgreSQL, S3, Prefect, Dask); those that do are marked `services`."""
