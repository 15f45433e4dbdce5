"""Pure rules: each module has `detect(snapshot, thresholds)` yielding findings; no I/O here."""
