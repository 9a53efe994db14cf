"""What runs inside every user server. Speaks to the hub over HTTP only."""
