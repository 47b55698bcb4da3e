"""What is kept: row types, run folders, reading and writing CSV, schema versions."""
