"""Times that a customer may choose from: truly free, held for some minutes, priced by what they cost the plan."""
