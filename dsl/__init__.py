"""The playbook language, from its text to a plan, and the values that all other packages share. It reads no file and no
database."""
