"""How text is laid out for a network and read by it: shared by the rooms that read words."""
