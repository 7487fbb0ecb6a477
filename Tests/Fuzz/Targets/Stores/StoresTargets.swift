internal import FuzzSupport

/// Files that are found where ours should be.
let storesTargets = [letterFileTarget, storeFileTarget]
