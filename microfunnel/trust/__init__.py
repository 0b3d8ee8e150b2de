"""What a reader should know before trusting the numbers: what makes events doubtful, and the warnings of it."""
