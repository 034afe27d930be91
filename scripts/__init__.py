"""What `make` runs: installing, running and testing the project on one machine."""
