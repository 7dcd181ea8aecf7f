"""From the tape to the unrolled graph: steps, recurrences, units and rows, whatever level is drawn."""
