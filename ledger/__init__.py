"""What was promised and what was done: enrollments, the outbox with its states, and the guards before each send."""
