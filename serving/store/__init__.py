"""What the service keeps: rows by SQLAlchemy, recordings and results as objects by fsspec."""
