"""What customers say afterwards: surveys and follow-up."""
