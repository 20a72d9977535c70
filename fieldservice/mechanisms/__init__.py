"""Few mechanisms, fed with data: lifecycle, clock, event, task, form, template, policy, metric, message."""
