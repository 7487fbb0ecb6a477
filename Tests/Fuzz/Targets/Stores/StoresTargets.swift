internal import FuzzSupport

/// Files that are found where ours should be, and what a store of others answers.
let storesTargets = [letterFileTarget, storeFileTarget, etcdTarget]
