"""Planning: who does which job when, on which way, and why. Pure: plain values, no session, request or clock."""
