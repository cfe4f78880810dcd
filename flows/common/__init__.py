"""Helpers that every room may use: atomic files, errors in words, text made safe to show, progress, child processes.

Here belongs only what knows nothing of crime, releases or databases.
"""
