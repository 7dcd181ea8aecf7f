"""From what was read to a view: the boxes and arrows of one level, with their words, not yet their places."""
