"""The compiler: from what a step does to programs that say when each of its lines runs."""
