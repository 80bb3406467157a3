"""Measurements beside the floor of the same machine in the same run."""
