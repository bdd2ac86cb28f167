"""The local cloud: an AWS emulator (ministack) with Amazon Personalize registered in it.

* `adapter` is the only place that touches ministack; nothing else knows how it works inside.
* `server` is the process that serves, `process` starts and stops it, `client` is what users hold.
"""
