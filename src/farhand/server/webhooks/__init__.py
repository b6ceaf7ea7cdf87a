"""Webhooks: what happens at the robots, told to servers of others."""
