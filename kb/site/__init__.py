"""From findings to pages: one module per page family, charts, templates, assets, writer."""
