"""Files of events and the goals file become values."""
