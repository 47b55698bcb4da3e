"""The charts of the site: each module turns findings into one kind of `kb.site.figures.Chart`."""
