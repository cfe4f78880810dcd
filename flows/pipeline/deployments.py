"""The flows as Prefect's objects: what `serve` and prefect.yaml deploy, and what workers load by this module's name.

A run that no server orchestrates never imports this.
"""

from __future__ import annotations

from flows.pipeline import backfill as backfill_module
from flows.pipeline import update as update_module

update = update_module.update.orchestrated
backfill = backfill_module.backfill.orchestrated
