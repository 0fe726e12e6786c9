"""Text as the rooms that read words share it: where a sentence ends, and how a network is given text."""
