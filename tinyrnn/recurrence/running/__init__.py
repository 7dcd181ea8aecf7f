"""Running: a program that the compiler made, as NumPy calls on buffers."""
