"""From a picture's model to places: sizes, rows, columns, and the ways of arrows."""
