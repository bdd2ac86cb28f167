"""What is special about each kind of resource. What they share is in ``crud``, how they differ in ``resources``."""
