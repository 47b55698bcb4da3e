"""Names and versions of packages: which distributions are one project, and what a requirement or a lock pins."""
