"""The one error of the domain that is the user's to mend."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is complete by itself: it names the file, the line and the value where there are
    such, and says what to do. Callers show it as it is, without a traceback.
    """
