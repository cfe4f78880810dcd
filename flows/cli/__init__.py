"""The command `crime-rates`: options in, text and an exit status out.

Here belong options, help and the choice of what to call. No figure is worked out here, and no answer is laid out: that is
`rendering`.
"""
