"""Messages as files in a folder: the default, so that a newcomer sees the real messages and nobody else does."""

from connectors.outbox_file.audiences import AudienceFiles
from connectors.outbox_file.connector import OutboxConnector

__all__ = ["AudienceFiles", "OutboxConnector"]
