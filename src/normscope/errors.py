"""The one exception that a user's mistake ends in."""


class UsageError(ValueError):
    """Something that the user asked for cannot be had: a file, a device, a combination of options.

    Its message holds what was asked, the value, and the way out. The command line shows it alone, without a
    traceback, and exits with code 1.
    """
