"""The demo: a small shop that exists only as code, and a few simulated days with it."""
