"""Ways to execute a model, one file per framework, behind one small interface."""
