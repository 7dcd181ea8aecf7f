"""From the tape to a picture's model: records, recurrences, and the boxes and arrows of a level."""
