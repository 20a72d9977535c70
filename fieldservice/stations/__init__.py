"""4S stations, their territories, technicians with skills and certificates, and shifts."""
