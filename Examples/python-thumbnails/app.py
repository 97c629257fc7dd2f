"""Makes thumbnails. Event: {"image": base64 of any image Pillow reads, "width": pixels}."""

import base64
import binascii
import io
import logging

from PIL import Image, UnidentifiedImageError

logger = logging.getLogger()
logger.setLevel(logging.INFO)

WIDEST = 4096


class BadRequest(Exception):
    """The event cannot be worked on; the message says why."""


def handler(event, context):
    image, width = read(event)
    source_format = image.format
    height = max(1, round(image.height * width / image.width))
    thumbnail = image.convert("RGBA").resize((width, height), Image.LANCZOS)
    packed = io.BytesIO()
    thumbnail.save(packed, "PNG", optimize=True)
    logger.info(
        "%s %dx%d -> PNG %dx%d, %d bytes", source_format, image.width, image.height, width, height, packed.tell()
    )
    return {
        "thumbnail": base64.b64encode(packed.getvalue()).decode("ascii"),
        "width": width,
        "height": height,
        "format": source_format,
    }


def read(event):
    if not isinstance(event, dict) or not isinstance(event.get("image"), str):
        raise BadRequest('the event must be an object with "image", the base64 text of an image')
    width = event.get("width", 64)
    if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= WIDEST:
        raise BadRequest('"width" must be a whole number from 1 to %d, not %r' % (WIDEST, width))
    try:
        data = base64.b64decode(event["image"], validate=True)
    except binascii.Error as error:
        raise BadRequest('"image" is not base64: %s' % error) from None
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except (UnidentifiedImageError, OSError) as error:
        raise BadRequest('"image" is not an image Pillow can read: %s' % error) from None
    return image, width
