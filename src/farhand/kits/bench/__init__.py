"""Benches: farhand beside its peers, in the same run."""
