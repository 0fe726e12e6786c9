"""Files of codes and ratings, whatever they come from, as values of `evaluation/codings.py`; one file a kind."""
