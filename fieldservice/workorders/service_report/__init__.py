"""The service report: gathered in both languages, rendered as PDF, answered to staff and customer."""
