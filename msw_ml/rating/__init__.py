"""Coded session → element ratings, with interval, evidence and release gate."""
