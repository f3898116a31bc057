"""Everything is killed, hung and cut under load, and then each promise is looked at."""
