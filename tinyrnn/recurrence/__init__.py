"""Recurrence: `scan`, its plain loop and its compiled form, and truncated backpropagation through time."""
