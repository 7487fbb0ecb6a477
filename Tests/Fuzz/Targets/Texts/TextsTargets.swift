internal import FuzzSupport

/// What people type, and the files that they write.
let textsTargets = [languageTarget, expressionTarget, kindsTarget, contextTarget, yamlTarget]
