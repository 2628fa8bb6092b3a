"""What a reviewer asks of a playbook: whom it reaches, what an edit changes, what comes in the days ahead."""
