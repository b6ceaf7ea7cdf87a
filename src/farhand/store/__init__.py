"""Records: the seam and what lives in memory; and the lock on a state folder."""
