"""What every capability stands on: database, time, errors, access, places, the web edge and the background."""
