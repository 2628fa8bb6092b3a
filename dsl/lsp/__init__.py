"""The language server: what an editor shows of playbooks. Pure functions, and one module that speaks the protocol."""
