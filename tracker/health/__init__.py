"""What tells operators how the installation is: liveness, readiness, metrics."""
