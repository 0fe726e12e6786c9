"""Coded sessions → bundles."""
