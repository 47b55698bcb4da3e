"""What the frameworks say of their releases: sources, readers, entries, and what breaks between two versions."""
