"""The presentation page: one run, full-screen, for every browser that opens it."""
