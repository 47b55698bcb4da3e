"""One module per page family; each turns the evidence into pages."""
