"""Drawings of the unrolled graph: DOT text, pictures, and a page to step through."""
