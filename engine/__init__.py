"""The hall: the product's rules, in the standard library alone."""
