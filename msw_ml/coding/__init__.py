"""Utterances → codes → counts."""
