"""Pack the JSON that views hold most of: Zstandard frames (RFC 8878) against typical items.

An item is two or three kilobytes, most of which every item of its kind has: packed alone it takes
a third, with a dictionary a sixth. The dictionary is one made-up item of each kind, a line each in
`typical_items.jsonl`, used as it is (content without ids or tables). Frames do not say which one
they were made with: its digest is part of the layout, so views made with another are rebuilt.
"""

import hashlib
import threading
from pathlib import Path
from typing import Final

import zstandard

from projections.errors import ProjectionFailedError

MOST_BYTES: Final = 64 * 1024 * 1024
"""The most that unpacking may yield: an event has 4 MiB of content, an item one content."""

_DAMAGED: Final = "a row of the views is damaged: run `clinledger rebuild`"
_LEVEL: Final = 1  # level 3 takes a third longer and saves 2 %
_TYPICAL: Final = Path(__file__).with_name("typical_items.jsonl").read_bytes()
_DICTIONARY: Final = zstandard.ZstdCompressionDict(
    _TYPICAL, dict_type=zstandard.DICT_TYPE_RAWCONTENT
)
DICTIONARY_DIGEST: Final = hashlib.sha256(_TYPICAL).hexdigest()
"""SHA-256 of the dictionary, hex."""


class _Contexts(threading.local):
    """What packs and unpacks, one for each thread: the library lets go of the GIL meanwhile."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(level=_LEVEL, dict_data=_DICTIONARY).compress
        self.unpack = zstandard.ZstdDecompressor(dict_data=_DICTIONARY).decompress


_contexts: Final = _Contexts()


def pack(data: bytes) -> bytes:
    """Return the data as one frame, which tells its length; other versions may pack otherwise."""
    return _contexts.pack(data)


def unpack(frame: bytes) -> bytes:
    """Return what was packed.

    Raises:
        ProjectionFailedError: that is no frame, or one that would yield too much.
    """
    try:
        if not 0 <= zstandard.frame_content_size(frame) <= MOST_BYTES:
            raise ProjectionFailedError(_DAMAGED)
        return _contexts.unpack(frame, allow_extra_data=False)
    except zstandard.ZstdError:
        raise ProjectionFailedError(_DAMAGED) from None
