"""A stand-in for Cloudinary's upload API over real HTTP: it checks signatures and keeps assets."""

from tests.cloudinary_server.serving import CloudinaryServer, cloudinary_server

__all__ = ["CloudinaryServer", "cloudinary_server"]
