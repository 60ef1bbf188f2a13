"""Verdicts over time: operators, windows, predictions, hints."""
