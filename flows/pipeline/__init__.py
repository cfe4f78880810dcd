"""Runs that change the data folder: the Prefect flows `update` and `backfill`, their steps, `rollback`, and notifications.

Here belongs the order of the steps and what happens when one fails. How a step does its work belongs to the room of its subject.
"""
