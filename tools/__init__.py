"""Programs that are neither the product nor its tests: they make data, measure, trouble and compare. Each is run by `make`."""
