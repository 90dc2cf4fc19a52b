"""Loaded by the emulator's Python: without Nagle's delay a warm invocation takes 11 ms instead of 55 ms."""

import socketserver

socketserver.StreamRequestHandler.disable_nagle_algorithm = True
