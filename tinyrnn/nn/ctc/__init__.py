"""Connectionist temporal classification: labels in order, without saying when each is there."""
