"""Estimators, one module each (or one a small family); see docs/estimators.md."""
