"""Plans of days as records: asked for, computed beside the work, looked at, applied whole or in part, or discarded."""
