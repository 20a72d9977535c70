"""Running the system: backup and restore, health, probes and figures for machines.

`archive` is the file format, `dump` and `load` move rows, `rotation` says what is kept, `shelf` holds them, `services` and
`runs` do a scheduled backup with its restore test, `health` tells people, `probes` tell machines.
"""
