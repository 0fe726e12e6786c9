"""What a person reads: session, practice and service reports."""
