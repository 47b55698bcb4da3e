"""Where changelogs come from: files, git, the web; each gives documents, or one line that says why it could not."""
