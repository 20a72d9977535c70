"""At the machine and on the way to it: findings, follow-up work, corrected times, leaving, arriving, location."""
