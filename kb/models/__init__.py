"""Reference models, one file each: a torch and a Keras builder over one set of weights."""
