"""Figures: each function turns ready-made numbers into one matplotlib figure."""
