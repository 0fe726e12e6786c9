"""HTTP and web pages over the library."""
