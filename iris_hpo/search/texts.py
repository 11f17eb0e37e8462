"""Files of text, as users save them: UTF-8, with or without a byte order mark, any line ends."""


class NotTextError(Exception):
    """Bytes are no text.

    Attributes
    ----------
    line
        Number of the line, however lines end, on which the first wrong byte stands.
    """

    def __init__(self, problem: str, content: bytes, position: int) -> None:
        super().__init__(problem)
        self.line = len((content[:position] + b".").splitlines())


def decode(content: bytes, advice: str) -> str:
    """Decode a file.

    Parameters
    ----------
    advice
        What to do about other encodings.

    Raises
    ------
    NotTextError
        If it is not UTF-8, or holds a NUL.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        problem = f"byte 0x{byte:02x} is not UTF-8 text; {advice}"
        raise NotTextError(problem, error.object, error.start) from error
    if b"\0" in content:
        problem = "holds a NUL byte; this is not a text file"
        raise NotTextError(problem, content, content.index(b"\0"))
    return text
