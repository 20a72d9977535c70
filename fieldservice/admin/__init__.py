"""Administration: master data with history and undo, import and export."""
