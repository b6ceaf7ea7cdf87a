"""Messages between gateways. The seam and the one in this process."""
