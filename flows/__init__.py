"""Orchestration: Prefect, HTTP, files, locks and the published database. Computes no figure."""
