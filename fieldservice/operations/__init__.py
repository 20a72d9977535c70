"""Running the system: backup and restore, health, probes and figures for machines.

`archive` is the file format, `dump` and `load` move rows, `shelf` is where backups lie, `rotation` says which are kept,
`services` and `runs` do a scheduled backup with its restore test, `health` tells people, `probes` tell machines.
"""
