"""Coding schemes as data: `msw.toml` and `supervision.toml`, loaded and checked by `book.py`."""

from msw_ml.codebook.book import Anchor, Behaviour, Codebook, Element, MeasureRule, Parent, known, load

__all__ = ["Anchor", "Behaviour", "Codebook", "Element", "MeasureRule", "Parent", "known", "load"]
