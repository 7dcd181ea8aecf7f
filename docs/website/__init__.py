"""How README and docs become pages to read in a browser; `python docs/build.py` does it."""
