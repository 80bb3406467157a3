"""A month of made-up life, told to the product itself, so that all of its figures hold."""
