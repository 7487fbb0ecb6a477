internal import FuzzSupport

/// What is read out of values and small texts.
let valuesTargets = [jsonTarget, requestTarget, recordTarget, identityTarget, textTarget]
