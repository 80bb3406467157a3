"""The operator's terminal: the command line and what it says."""
