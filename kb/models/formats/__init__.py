"""Kinds of model files, one module each: recognised without a framework, read and run with their own."""
