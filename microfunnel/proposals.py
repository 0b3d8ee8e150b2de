"""What to look for in an export: a proposal, made from what is in it."""
