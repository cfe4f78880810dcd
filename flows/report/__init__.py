"""The report: a half-year's tables as a static site that opens from a folder. Selects, draws and words; computes no figure."""
