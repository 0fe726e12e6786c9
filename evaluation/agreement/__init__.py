"""One file a statistic; `table.py` puts them side by side."""
