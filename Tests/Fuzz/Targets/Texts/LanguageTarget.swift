internal import FuzzSupport
internal import GridCommands
internal import GridCore

@testable internal import GridREPL

/// A text as a script of the session and as an expression, with values for its variables: read or refused, and a place
/// in the text where it is refused.
let languageTarget = FuzzTarget("language") { bytes in
  let text = String(decoding: bytes, as: UTF8.self)
  do {
    for statement in try Parser.parse(text) { evaluate(statement, evaluation) }
  } catch let error as SyntaxError {
    try promise(error.range.lowerBound >= 0 && error.range.lowerBound <= text.count, "a fault lies behind the text")
    try promise(!error.message.isEmpty, "a fault has no message")
  } catch is Unfinished {
  }
  do {
    let expression = try Parser.expression(text)
    _ = try evaluation.value(of: expression)
  } catch is SyntaxError {
  } catch is Unfinished {
  } catch is GridError {
  }
}

/// Made once: most texts are no script and are refused in less time.
private let evaluation = makeEvaluation()

private func makeEvaluation() -> Evaluation {
  var values = SessionValues()
  values.bind("r", to: SessionValue(["items": [["name": "a", "n": 1], ["name": "b", "n": -2.5]]]))
  values.keep(SessionValue(["x", 1, nil, [:]]))
  return Evaluation(values: values, row: ["name": "a", "labels": ["zone": "x"]], rowNameField: "name")
}

private func evaluate(_ statement: Statement, _ evaluation: Evaluation) {
  switch statement {
  case .pipeline(let pipeline), .bind(_, let pipeline), .watch(_, let pipeline): evaluate(pipeline, evaluation)
  case .colon(_, let words): _ = try? evaluation.arguments(words)
  case .shell: break
  case .choice(let condition, let statements, let others):
    _ = try? evaluation.isTrue(condition)
    for statement in statements + others { evaluate(statement, evaluation) }
  case .loop(_, let pipeline, let statements):
    evaluate(pipeline, evaluation)
    for statement in statements { evaluate(statement, evaluation) }
  }
}

private func evaluate(_ pipeline: Pipeline, _ evaluation: Evaluation) {
  for stage in pipeline.stages {
    switch stage {
    case .command(let words), .each(_, let words): _ = try? evaluation.arguments(words)
    case .value(let expression): _ = (try? evaluation.value(of: expression))?.rows
    }
  }
  if case .file(let word, _) = pipeline.target { _ = try? evaluation.text(of: word) }
}
