"""From the syntax tree to the program: what names mean, and of which type values are."""
