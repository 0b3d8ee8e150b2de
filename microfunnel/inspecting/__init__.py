"""What is in an export, and which goals file it suggests."""
