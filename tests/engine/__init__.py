"""The hall against real databases."""
