"""Playbooks at run time. Of all packages only this one imports Prefect, and only in the modules that need it."""
