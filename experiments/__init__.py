"""Which arm of an experiment a person gets, who is held out, and what became of them."""
