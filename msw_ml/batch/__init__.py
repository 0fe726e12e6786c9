"""Many recordings: inputs and their names, manifest, worker processes, resume."""
