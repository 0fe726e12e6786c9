"""The `msw` command."""
