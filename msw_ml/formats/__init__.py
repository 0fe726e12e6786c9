"""One file a format, reading and writing side by side; `registry.py` lists them."""
