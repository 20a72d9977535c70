"""The planning engine against single libraries: instances, baselines, figures. Anybody can repeat the comparison."""
