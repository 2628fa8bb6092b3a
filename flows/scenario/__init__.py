"""Scenarios on the production code: one person, a store in memory, a clock that jumps."""
