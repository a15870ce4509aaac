"""Columns: one registered function a concept, from tables to values on a spine."""
