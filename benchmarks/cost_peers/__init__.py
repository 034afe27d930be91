"""The cost engine beside its peers: the same lines, priced by each."""
