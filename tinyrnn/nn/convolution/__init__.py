"""Convolutions and pooling: what stands in front of a recurrence that reads pictures or sound."""
