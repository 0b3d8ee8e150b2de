"""What was found, as values: counts are stored, rates are properties, and 0/0 is None."""
