internal import FuzzSupport

/// What comes over connections and from child processes.
let wireTargets = [frameTarget, linkTarget, handshakeTarget, channelTarget, addressTarget, programTarget]
