"""Agreement with human coders, and how far each stage of the corridor can be relied on."""
