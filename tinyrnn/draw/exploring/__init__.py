"""A picture to explore: a page with the arrays behind its boxes."""
