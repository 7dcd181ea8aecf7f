"""From one sequence to another: attention, the decoder, and what it reads while it learns."""
