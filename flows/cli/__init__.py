"""The command `crime-rates`: words in, an exit status and text out.

Here belong options, help and the choice of what to call. No figure is worked out here, and no answer is laid out: that is
`rendering`.
"""
