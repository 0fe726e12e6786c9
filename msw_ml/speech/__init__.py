"""Sound → utterances with roles."""
