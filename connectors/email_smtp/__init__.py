"""E-mail over SMTP: connections that are kept, an outcome for each recipient."""

from connectors.email_smtp.connector import SmtpConnector
from connectors.email_smtp.settings import SmtpSettings, smtp_settings

__all__ = ["SmtpConnector", "SmtpSettings", "smtp_settings"]
