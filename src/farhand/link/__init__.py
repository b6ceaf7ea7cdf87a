"""The WebSocket client that agent and client share."""
