class NotImplementedHere(Exception):
    """This implementation has no opinion about the case: it is counted and listed, and never passes."""
