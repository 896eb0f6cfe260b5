"""The rendition door's pure part: decode safely, paint masks, blur, mark, draw, crop, encode."""

from workers.vision.rendition.decode import ImageRefused, decode_image, image_size
from workers.vision.rendition.drawing import overlay, watermark
from workers.vision.rendition.encode import crop, encode_jpeg
from workers.vision.rendition.privacy import blur, paint_masks, pixelate

__all__ = [
    "ImageRefused",
    "blur",
    "crop",
    "decode_image",
    "encode_jpeg",
    "image_size",
    "overlay",
    "paint_masks",
    "pixelate",
    "watermark",
]
