"""Small tools that any room may use: files that are whole or not there, errors in words, text made safe to show, progress.

Here belongs only what knows nothing of crime, releases or databases.
"""
